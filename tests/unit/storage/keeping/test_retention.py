"""Which recordings go: pure decisions."""

from dataclasses import replace

import pytest

from storage.catalogue.records import Retention
from storage.keeping.recordings import BroadcastName, Recording
from storage.keeping.retention import MARGIN_S, Cause, PlayableFor, departures

NOW = 1_795_257_665.0
HOUR, DAY = 3600.0, 86_400.0
PLAYABLE = PlayableFor(60.0, dvr_s=300.0)


def recording(age_days: float, *, stream: str = "a", size: int = 100, **values: object) -> Recording:
    """One of an hour that ended ``age_days`` ago."""
    ended_at = NOW - age_days * DAY
    made = Recording(
        stream=stream,
        broadcast=f"b{10_000 - age_days:09.2f}",
        started_at=ended_at - HOUR,
        ended_at=ended_at,
        duration_s=HOUR,
        bytes=size,
    )
    return replace(made, **values)  # type: ignore[arg-type]


def gone(
    recordings: list[Recording],
    retention: Retention,
    *,
    in_use: frozenset[BroadcastName] = frozenset(),
    playable: PlayableFor = PLAYABLE,
) -> list[tuple[Recording, Cause]]:
    chosen = departures(recordings, retention=lambda _: retention, in_use=in_use, playable=playable, now=NOW)
    return [(each.recording, each.cause) for each in chosen]


OLD, MIDDLE, NEW = recording(30), recording(20), recording(10)
ALL = [OLD, MIDDLE, NEW]


@pytest.mark.parametrize(
    ("retention", "expected"),
    [
        (Retention(), []),
        (Retention(max_age_s=15 * DAY), [(OLD, Cause.MAX_AGE), (MIDDLE, Cause.MAX_AGE)]),
        (Retention(max_age_s=30 * DAY), []),
        (Retention(max_count=2), [(OLD, Cause.MAX_COUNT)]),
        (Retention(max_count=3), []),
        (Retention(max_count=0), [(OLD, Cause.MAX_COUNT), (MIDDLE, Cause.MAX_COUNT), (NEW, Cause.MAX_COUNT)]),
        (Retention(max_size=200), [(OLD, Cause.MAX_SIZE)]),
        (Retention(max_size=199), [(OLD, Cause.MAX_SIZE), (MIDDLE, Cause.MAX_SIZE)]),
        (Retention(max_age_s=25 * DAY, max_count=1), [(OLD, Cause.MAX_AGE), (MIDDLE, Cause.MAX_COUNT)]),
    ],
)
def test_each_limit_lets_the_oldest_go(retention: Retention, expected: list[tuple[Recording, Cause]]) -> None:
    assert gone(ALL, retention) == expected


def test_a_kept_recording_stays_and_does_not_count() -> None:
    kept = recording(15, kept=True)
    assert gone([OLD, MIDDLE, kept, NEW], Retention(max_count=2)) == [(OLD, Cause.MAX_COUNT)]
    assert gone([kept], Retention(max_age_s=1.0, max_size=0, max_count=0)) == []


def test_what_is_being_deleted_is_not_chosen_again_and_does_not_count() -> None:
    assert gone([replace(OLD, deleted_at=NOW), MIDDLE, NEW], Retention(max_count=2)) == []


def test_what_is_on_air_or_without_an_end_or_in_use_stays() -> None:
    on_air = recording(-0.01, ended_at=None)
    none = Retention(max_age_s=1.0, max_size=0, max_count=0)
    assert gone([NEW, on_air], none) == [(NEW, Cause.MAX_AGE)]
    assert gone([NEW], none, in_use=frozenset({NEW.name})) == []


def test_each_stream_has_its_own_limits() -> None:
    other = recording(40, stream="b")
    limits = {"a": Retention(max_count=1), "b": Retention(max_count=1)}
    chosen = departures([*ALL, other], retention=limits.__getitem__, in_use=(), playable=PLAYABLE, now=NOW)
    assert [each.recording for each in chosen] == [OLD, MIDDLE]


@pytest.mark.parametrize(
    ("playable", "reach_s"),
    [(PlayableFor(60.0, dvr_s=300.0), 300.0), (PlayableFor(60.0, dvr_s=2 * HOUR), HOUR), (PlayableFor(60.0), HOUR)],
)
def test_what_a_player_may_still_be_behind_stays_for_now(playable: PlayableFor, reach_s: float) -> None:
    none = Retention(max_count=0)
    recent = recording((reach_s + MARGIN_S - 1) / DAY)
    assert gone([recent], none, playable=playable) == []
    later = recording((reach_s + MARGIN_S + 1) / DAY)
    assert gone([later], none, playable=playable) == [(later, Cause.MAX_COUNT)]


def test_a_recent_recording_counts() -> None:
    recent = recording(0.001)
    assert gone([MIDDLE, NEW, recent], Retention(max_count=2)) == [(MIDDLE, Cause.MAX_COUNT)]
