"""When a rung is shed and when it returns, on a simulated machine."""

from dataclasses import dataclass, field

from worker.encoding.policy import (
    BEHIND_S,
    FIRST_HOLD_S,
    LONGEST_CHANGE_S,
    LONGEST_HOLD_S,
    ROOM_S,
    SETTLE_S,
    TRIAL_S,
    WINDOW_S,
    Load,
    RungChange,
    SheddingPolicy,
)

RATES = {"v720p": 27_648_000, "v480p": 12_297_600, "v360p": 6_912_000}
# The longest delay that comes from one measurement a second.
TICK_S = 1.0


@dataclass
class Machine:
    """Encodes the rungs of all ``streams`` in real time if their rates together are at most ``capacity``."""

    streams: tuple[str, ...] = ("a",)
    capacity: int = 100_000_000
    keeps_last: bool = False
    now: float = 1000.0
    policy: SheddingPolicy = field(default_factory=SheddingPolicy)
    shed: dict[str, set[str]] = field(default_factory=dict)
    behind: dict[str, float] = field(default_factory=dict)
    changes: list[tuple[float, RungChange]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shed = {name: set() for name in self.streams}
        self.behind = dict.fromkeys(self.streams, 0.0)

    def on(self, name: str) -> dict[str, int]:
        return {track: rate for track, rate in RATES.items() if track not in self.shed[name]}

    def run(self, seconds: int) -> list[RungChange]:
        """Returns the changes of these seconds."""
        before = len(self.changes)
        for _ in range(seconds):
            self.now += 1
            total = sum(sum(self.on(name).values()) for name in self.streams)
            gain = 1 - min(2.0, self.capacity / max(1, total))
            for name in self.streams:
                self.behind[name] = max(0.0, self.behind[name] + gain)
                self._report(name)
        return [change for _, change in self.changes[before:]]

    def _report(self, name: str) -> None:
        on = self.on(name)
        sheddable = {} if self.keeps_last and len(on) == 1 else on
        shed = {track: RATES[track] for track in self.shed[name]}
        self.policy.report(name, Load(self.behind[name], 0, sheddable, shed), self.now)
        change = self.policy.decide(self.now)
        if change is not None:
            self.changes.append((self.now, change))
            rungs = self.shed[change.broadcast]
            (rungs.discard if change.returns else rungs.add)(change.track)


def sheds(*rungs: tuple[str, str]) -> list[RungChange]:
    return [RungChange(name, track, returns=False) for name, track in rungs]


def test_a_machine_with_room_sheds_nothing() -> None:
    assert Machine().run(600) == []


def test_the_most_expensive_rung_goes_first_and_no_more_than_needed() -> None:
    assert Machine(capacity=25_000_000).run(20) == sheds(("a", "v720p"))


def test_rungs_go_one_at_a_time_until_the_rest_fits() -> None:
    machine = Machine(capacity=8_000_000)
    assert machine.run(25) == sheds(("a", "v720p"), ("a", "v480p"))
    (first, _), (second, _) = machine.changes
    assert second - first >= SETTLE_S


def test_a_moment_behind_costs_no_rung() -> None:
    machine = Machine()
    machine.behind["a"] = 8.0
    assert machine.run(60) == []


def test_one_stream_after_another_is_shed_on_a_machine_that_they_share() -> None:
    machine = Machine(("a", "b", "c"), capacity=100_000_000)
    changes = machine.run(30)
    assert {change.track for change in changes} == {"v720p"}
    assert len({change.broadcast for change in changes}) == len(changes) <= 2
    times = [at for at, _ in machine.changes]
    assert len(set(times)) == len(times)


def test_a_stream_that_is_not_behind_loses_nothing() -> None:
    policy, now = SheddingPolicy(), 0.0
    seen = []
    for now in range(30):
        policy.report("slow", Load(float(now), 0, {}, {}), now)
        policy.report("good", Load(0.0, 0, RATES, {}), now)
        seen.append(policy.decide(now))
    assert not any(seen)


def test_the_last_rung_of_a_source_that_is_encoded_stays() -> None:
    machine = Machine(capacity=1_000_000, keeps_last=True)
    assert machine.run(60) == sheds(("a", "v720p"), ("a", "v480p"))


def test_dropped_frames_are_no_recovery() -> None:
    policy = SheddingPolicy()
    for second, behind in enumerate((5.0, 4.5, 4.0, 3.5)):
        policy.report("a", Load(behind, 10 * second, RATES, {}), float(second))
    assert policy.decide(WINDOW_S) == RungChange("a", "v720p", returns=False)


def test_a_child_that_recovers_is_left_alone() -> None:
    policy = SheddingPolicy()
    for second, behind in enumerate((5.0, 4.5, 4.0, 3.5)):
        policy.report("a", Load(behind, 0, RATES, {}), float(second))
    assert policy.decide(WINDOW_S) is None


def test_nothing_changes_until_the_last_change_has_taken_effect() -> None:
    policy = SheddingPolicy()
    changes: list[int] = []
    for second in range(12):
        load = Load(BEHIND_S + 1 + second, 0, RATES, {}, changing=bool(changes))
        policy.report("a", load, float(second))
        if policy.decide(float(second)) is not None:
            changes.append(second)
    assert changes == [WINDOW_S, WINDOW_S + LONGEST_CHANGE_S]


def test_a_rung_returns_when_there_is_room_and_the_cheapest_is_first() -> None:
    machine = Machine(capacity=8_000_000)
    machine.run(25)
    machine.capacity = 100_000_000
    cleared = machine.now
    changes = machine.run(120)
    assert [(change.track, change.returns) for change in changes] == [("v480p", True), ("v720p", True)]
    first, second = machine.changes[2][0], machine.changes[3][0]
    assert first >= cleared + ROOM_S
    assert second - first >= FIRST_HOLD_S
    assert machine.run(600) == []


def test_each_return_that_fails_doubles_the_wait() -> None:
    machine = Machine(capacity=25_000_000)
    machine.run(4000)
    returned = [at for at, change in machine.changes if change.returns]
    shed = [at for at, change in machine.changes if not change.returns]
    waits = [back - gone for gone, back in zip(shed, returned, strict=False)]
    expected = FIRST_HOLD_S
    for wait in waits:
        assert expected <= wait <= expected + TICK_S
        expected = min(2 * expected, LONGEST_HOLD_S)
    assert expected == LONGEST_HOLD_S
    assert all(again - back <= TRIAL_S for back, again in zip(returned, shed[1:], strict=False))


def test_the_rung_that_returned_is_shed_again_not_another_stream_s() -> None:
    machine = Machine(("a", "b"), capacity=75_000_000)
    (first,) = machine.run(20)
    changes = machine.run(60)
    assert changes[:2] == [RungChange(first.broadcast, "v720p", True), RungChange(first.broadcast, "v720p", False)]


def test_the_end_of_a_broadcast_resets_the_wait() -> None:
    machine = Machine(("a", "b"), capacity=75_000_000)
    machine.run(300)
    machine.streams = ("a",) if machine.shed["a"] else ("b",)
    machine.policy.forget("b" if machine.shed["a"] else "a")
    changes = machine.run(round(FIRST_HOLD_S) + 5)
    assert [change.returns for change in changes] == [True]
