"""The figures of streams and renditions."""

from dataclasses import replace

import pytest

import origin.qoe.streams
from origin.qoe.cmcd import Report, Stalls
from origin.qoe.figures import Distribution, Spread, Sums, spread
from origin.qoe.ladder import UNKNOWN, Ladder
from origin.qoe.streams import MAX_RENDITIONS, OTHERS, PRESENT_S, WINDOW_S, StreamsFigures

LADDER = Ladder(
    video=(("v720p", (2_500_000, 2_600_000)), ("v360p", (800_000, 900_000))), audio=(("a128k", (128_000,)),)
)
HIGH = Report(session="s", stream="studio", state="p", kbps=2500, latency_ms=1500, start_ms=800)
LOW = replace(HIGH, kbps=780)


def of_session(name: str, report: Report = HIGH) -> Report:
    return replace(report, session=name)


@pytest.mark.parametrize(
    ("report", "rendition"),
    [
        (HIGH, "v720p"),
        (replace(HIGH, kbps=1800), "v720p"),
        (LOW, "v360p"),
        (replace(HIGH, kbps=128, audio_only=True), "a128k"),
        (replace(HIGH, track="v360p"), "v360p"),
        (replace(HIGH, track="made-up"), "v720p"),
        (replace(HIGH, kbps=None), None),
        (replace(HIGH, kbps=0), None),
    ],
)
def test_the_rendition_of_a_report(report: Report, rendition: str | None) -> None:
    assert LADDER.rendition(report) == rendition
    assert Ladder().rendition(report) is None


def test_figures_by_rendition_and_of_the_stream() -> None:
    figures = StreamsFigures()
    figures.take("studio", [of_session("a"), of_session("b", LOW)], LADDER, 0.0)
    stalled = replace(of_session("b", LOW), stalls=Stalls(1, 1000), start_ms=None, latency_ms=2500)
    figures.take("studio", [stalled], LADDER, 4.0)
    view = figures.view("studio", 5.0)
    assert view.whole.sessions == 2
    assert view.whole.bitrate_bps == 1_640_000
    assert view.whole.start == Spread(2, 0.8, 0.8)
    assert view.whole.latency == Spread(2, 2.5, 2.5)
    assert view.whole.stalled_ratio == 0.2
    assert view.whole.sums == view.totals == Sums(starts=2, stalls=1, stalled_s=1.0, played_s=4.0)
    assert view.renditions.keys() == {"v360p", "v720p"}
    assert view.renditions["v720p"].sums == Sums(starts=1)
    assert figures.streams["studio"].present(5.0) == {"v720p": (1, 2_500_000), "v360p": (1, 780_000)}


def test_time_counts_for_the_rendition_that_was_played() -> None:
    figures = StreamsFigures()
    figures.take("studio", [replace(HIGH, at_ms=0)], LADDER, 0.0)
    figures.take("studio", [replace(LOW, at_ms=3000)], LADDER, 3.0)
    figures.take("studio", [replace(LOW, at_ms=4000, kbps=None)], LADDER, 4.0)
    played = {name: each.sums.played_s for name, each in figures.view("studio", 4.0).renditions.items()}
    assert played == {"v720p": 3.0, "v360p": 1.0}


def test_what_is_before_the_first_bitrate_counts_for_the_first_rendition() -> None:
    figures = StreamsFigures()
    starting = Report(session="s", stream="studio", state="s", at_ms=0)
    figures.take("studio", [starting], LADDER, 0.0)
    assert figures.view("studio", 0.0).renditions.keys() == {UNKNOWN}
    figures.take("studio", [replace(HIGH, at_ms=800, start_ms=None)], LADDER, 0.8)
    assert figures.view("studio", 1.0).renditions.keys() == {"v720p"}
    assert figures.streams["studio"].totals == {"v720p": Sums(starts=1)}


def test_sessions_leave_and_the_window_moves_on() -> None:
    figures = StreamsFigures()
    figures.take("studio", [of_session("a"), of_session("b"), replace(of_session("c"), state="q")], LADDER, 0.0)
    assert figures.view("studio", 1.0).whole.sessions == 2
    figures.take("studio", [of_session("a")], LADDER, PRESENT_S)
    assert figures.view("studio", PRESENT_S).whole.sessions == 1
    later = PRESENT_S + WINDOW_S
    view = figures.view("studio", later)
    assert figures.sessions == 0
    assert (view.whole.sessions, view.whole.start, view.whole.stalled_ratio) == (0, None, None)
    assert view.renditions == {}
    assert view.totals.starts == 3
    assert figures.streams["studio"].starts.counts[2] == 3


def test_a_stream_without_reports() -> None:
    view = StreamsFigures().view("studio", 0.0)
    assert (view.whole.sessions, view.renditions, view.totals) == (0, {}, Sums())


def test_everything_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bound in (("MAX_STREAMS", 3), ("MAX_SESSIONS", 20), ("MAX_SESSIONS_OF_STREAM", 10)):
        monkeypatch.setattr(origin.qoe.streams, name, bound)
    figures = StreamsFigures()
    for number in range(30):
        figures.take("a", [of_session(str(number))], LADDER, 0.0)
    assert list(figures.streams["a"].sessions) == [str(number) for number in range(20, 30)]
    for stream in "bcdef":
        figures.take(stream, [of_session(str(number)) for number in range(6)], LADDER, 0.0)
    assert figures.streams.keys() == {"a", "b", "c", OTHERS}
    assert figures.sessions == 20
    assert sum(len(each.sessions) for each in figures.streams.values()) == 20


def test_renditions_are_bounded() -> None:
    figures = StreamsFigures()
    for number in range(3 * MAX_RENDITIONS):
        ladder = Ladder(video=((f"v{number}", (2_500_000,)),))
        figures.take("a", [of_session(str(number))], ladder, 0.0)
    assert len(figures.streams["a"].totals) == len(figures.view("a", 0.0).renditions) == MAX_RENDITIONS
    assert UNKNOWN in figures.streams["a"].totals


def test_quantiles_and_histograms() -> None:
    assert spread([]) is None
    assert spread([3.0]) == Spread(1, 3.0, 3.0)
    assert spread([float(value) for value in range(100, 0, -1)]) == Spread(100, 51.0, 96.0)
    histogram = Distribution((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)
    assert histogram.cumulative() == [("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)]
    assert histogram.sum == 12.0
