"""What the reports of one session add to the figures."""

from dataclasses import replace

from origin.qoe.cmcd import Report, Stalls
from origin.qoe.session import LONGEST_GAP_MS, Gain, Session

EMPTY = Report(session="s", stream="studio")


def take(session: Session, at_s: float, **fields: object) -> Gain:
    """A report that is sent and arrives after ``at_s`` seconds."""
    return session.take(replace(EMPTY, at_ms=round(1000 * at_s), **fields), at_s)  # type: ignore[arg-type]


def gains(session: Session, *reports: tuple[float, dict[str, object]]) -> Gain:
    """All together; the start is the last one."""
    found = [take(session, at_s, **fields) for at_s, fields in reports]
    starts = [gain.start_s for gain in found if gain.start_s is not None]
    assert len(starts) < 2
    return Gain(
        stalls=sum(gain.stalls for gain in found),
        stalled_s=sum(gain.stalled_s for gain in found),
        played_s=sum(gain.played_s for gain in found),
        errors=sum(gain.errors for gain in found),
        start_s=starts[0] if starts else None,
    )


def test_a_player_that_reports_its_states_alone() -> None:
    """As hls.js does."""
    session = Session(0.0)
    whole = gains(
        session,
        (0.0, {"state": "s"}),
        (0.75, {"state": "p"}),
        (10.75, {"state": "p"}),
        (12.75, {"state": "r"}),
        (16.0, {"state": "p"}),
        (18.0, {"state": "a"}),
        (90.0, {"state": "p"}),
    )
    assert whole == Gain(stalls=1, stalled_s=3.25, played_s=14.0, start_s=0.75)


def test_a_stall_that_is_reported_in_several_ways_counts_once() -> None:
    session = Session(0.0)
    whole = gains(
        session,
        (0.0, {"state": "p", "start_ms": 800, "all_stalls": 0, "all_stalled_ms": 0}),
        (5.0, {"state": "r", "starved": True, "all_stalls": 1, "all_stalled_ms": 0}),
        (7.0, {"state": "p", "starved": True, "stalls": Stalls(1, 2000), "all_stalls": 1, "all_stalled_ms": 2000}),
    )
    assert whole == Gain(stalls=1, stalled_s=2.0, played_s=5.0, start_s=0.8)


def test_totals_count_from_the_first_report_on() -> None:
    """The server may have been restarted."""
    session = Session(0.0)
    whole = gains(
        session, (0.0, {"all_stalls": 7, "all_stalled_ms": 9000}), (1.0, {"all_stalls": 9, "all_stalled_ms": 9500})
    )
    assert (whole.stalls, whole.stalled_s) == (2, 0.5)


def test_flags_alone_count_once_until_they_are_gone() -> None:
    session = Session(0.0)
    flags = (True, True, False, True)
    assert sum(take(session, float(at), starved=flag).stalls for at, flag in enumerate(flags)) == 2


def test_the_start_is_counted_once_and_msd_is_more_exact() -> None:
    session = Session(0.0)
    assert gains(session, (0.0, {"state": "s"}), (1.0, {"state": "p"}), (2.0, {"start_ms": 900})).start_s == 1.0
    assert session.start_s == 0.9
    assert take(session, 3.0, start_ms=900).start_s is None


def test_errors() -> None:
    session = Session(0.0)
    assert take(session, 0.0, event="e", errors=("a", "b")).errors == 1
    # Some players repeat the last error in every event.
    assert take(session, 1.0, event="t", errors=("a", "b")).errors == 0
    requests = Session(0.0)
    assert [take(requests, 0.0, errors=errors).errors for errors in ((), ("a",), ("a",), ("b",))] == [0, 1, 0, 1]


def test_time_without_reports_is_bounded_and_time_does_not_go_back() -> None:
    session = Session(0.0)
    take(session, 0.0, state="p")
    assert take(session, 86_400.0, state="p").played_s == LONGEST_GAP_MS / 1000
    assert take(session, 10.0, state="r").played_s == 0
    # The late report has not changed the state.
    assert take(session, 86_410.0, state="p").played_s == 10


def test_reports_without_a_time_count_when_they_arrive() -> None:
    session = Session(0.0)
    session.take(EMPTY, 10.0)
    assert session.take(EMPTY, 14.0).played_s == 4.0


def test_the_newest_values_and_the_end() -> None:
    session = Session(0.0)
    take(session, 0.0, kbps=2500, latency_ms=0, state="p")
    take(session, 1.0, state="p")
    assert (session.kbps, session.latency_ms, session.gone) == (2500, 0, False)
    take(session, 2.0, state="q")
    assert session.gone
