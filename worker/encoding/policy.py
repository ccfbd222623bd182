"""When a node sheds a rung, and when the rung returns.

A broadcast is behind if its encoding has been more than BEHIND_S behind the source for WINDOW_S without recovering.
Then the most expensive rung of the broadcasts that are behind is shed, and nothing more until its effect shows. The
cheapest rung returns when no broadcast has been behind for ROOM_S. If one falls behind during the trial of a rung
that returned, that rung is shed again, and the next return waits twice as long.

Pure: ``now`` is monotonic seconds.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Seconds.
BEHIND_S, WINDOW_S = 2.0, 3.0
# Being less than this behind shows room, and for how long it has to.
NEAR_S, ROOM_S = 0.5, 15.0
# The least time between two changes: a child that is rid of a rung catches up meanwhile.
SETTLE_S = 3.0
# A change that has not taken effect after this time is not waited for.
LONGEST_CHANGE_S = 6.0
# The time from a change to a return, which doubles with each return that failed, and the time in which it can fail.
FIRST_HOLD_S, LONGEST_HOLD_S = 30.0, 960.0
TRIAL_S = 30.0
# Seconds that a child must gain each second to count as recovering.
RECOVERING = 0.1


@dataclass(frozen=True, slots=True)
class Load:
    """The encoding of one broadcast. ``dropped`` is the total of frames that were not encoded because it was late.
    ``sheddable`` are the rungs that run and may be shed, and ``shed`` those that were, each with its luma samples
    per second. ``changing``: the newest change has not taken effect yet."""

    behind_s: float
    dropped: int
    sheddable: Mapping[str, int]
    shed: Mapping[str, int]
    changing: bool = False


@dataclass(frozen=True, slots=True)
class RungChange:
    """The rung ``track`` of ``broadcast`` is shed, or returns."""

    broadcast: str
    track: str
    returns: bool


class SheddingPolicy:
    """Decides on one change at a time for all broadcasts of a node."""

    def __init__(self) -> None:
        self._trends: dict[str, _Trend] = {}
        self._changed_at: float | None = None
        self._hold_s = FIRST_HOLD_S
        # The rung that returned and may still have to go.
        self._trial: RungChange | None = None

    def report(self, broadcast: str, load: Load, now: float) -> None:
        """Take a measurement of a broadcast. Call it about once a second for each."""
        self._trends.setdefault(broadcast, _Trend(now)).add(load, now)

    def forget(self, broadcast: str) -> None:
        """The broadcast has ended. It makes room, so the next return need not wait as long as after failures."""
        trend = self._trends.pop(broadcast, None)
        if trend is not None and trend.load.sheddable:
            self._hold_s = FIRST_HOLD_S

    def decide(self, now: float) -> RungChange | None:
        """The change to make now, which the caller makes."""
        since = None if self._changed_at is None else now - self._changed_at
        if since is not None and (since < SETTLE_S or (self._is_changing() and since < LONGEST_CHANGE_S)):
            return None
        if since is None or since >= TRIAL_S:
            self._end_trial()
        change = self._next_to_shed() or self._next_to_return(now, since)
        if change is not None:
            self._changed_at = now
            for trend in self._trends.values():
                trend.restart()
        return change

    def _is_changing(self) -> bool:
        return any(trend.load.changing for trend in self._trends.values())

    def _end_trial(self) -> None:
        """The rung that returned may stay, so the next may return soon."""
        if self._trial is not None:
            self._trial, self._hold_s = None, FIRST_HOLD_S

    def _next_to_shed(self) -> RungChange | None:
        behind = {
            name: trend.load for name, trend in self._trends.items() if trend.is_behind and trend.load.sheddable
        }
        if not behind:
            return None
        trial, self._trial = self._trial, None
        if trial is not None and self._can_shed(trial):
            self._hold_s = min(2 * self._hold_s, LONGEST_HOLD_S)
            return RungChange(trial.broadcast, trial.track, returns=False)
        rungs = [
            (rate, load.behind_s, name, track)
            for name, load in behind.items()
            for track, rate in load.sheddable.items()
        ]
        _, _, name, track = max(rungs)
        return RungChange(name, track, returns=False)

    def _can_shed(self, rung: RungChange) -> bool:
        trend = self._trends.get(rung.broadcast)
        return trend is not None and rung.track in trend.load.sheddable

    def _next_to_return(self, now: float, since: float | None) -> RungChange | None:
        shed = sorted(self._shed())
        if not shed or (since is not None and since < self._hold_s):
            return None
        if not all(trend.has_room(now) for trend in self._trends.values()):
            return None
        _, name, track = shed[0]
        self._trial = RungChange(name, track, returns=True)
        return self._trial

    def _shed(self) -> Iterator[tuple[int, str, str]]:
        for name, trend in self._trends.items():
            for track, rate in trend.load.shed.items():
                yield rate, name, track


class _Trend:
    """The newest measurements of one broadcast."""

    def __init__(self, now: float) -> None:
        self.load = Load(0.0, 0, {}, {})
        self._near_since = now
        # Each with its time, the oldest at least WINDOW_S ago if there is one.
        self._samples: deque[tuple[float, Load]] = deque()

    def add(self, load: Load, now: float) -> None:
        self.load = load
        self._samples.append((now, load))
        while len(self._samples) > 1 and self._samples[1][0] <= now - WINDOW_S:
            self._samples.popleft()
        # A broadcast that has nothing to shed shows nothing about room for others.
        if load.behind_s > NEAR_S and (load.sheddable or load.shed):
            self._near_since = now

    def restart(self) -> None:
        """Something changed, so earlier measurements show nothing."""
        self._samples.clear()

    @property
    def is_behind(self) -> bool:
        """Whether encoding was behind for the whole window, and is not recovering."""
        if not self._samples:
            return False
        (start, first), (end, last) = self._samples[0], self._samples[-1]
        if end - start < WINDOW_S or any(load.behind_s <= BEHIND_S for _, load in self._samples):
            return False
        gained = first.behind_s - last.behind_s
        return last.dropped > first.dropped or gained < RECOVERING * (end - start)

    def has_room(self, now: float) -> bool:
        return now - self._near_since >= ROOM_S
