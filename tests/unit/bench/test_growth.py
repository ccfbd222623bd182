import pytest

from bench.growth.__main__ import BENCHMARK, MIB, TIME, WINDOW, Window, in_words
from bench.growth.broadcast import AUDIO, BROADCAST, STREAM, VIDEO, Broadcast
from bench.growth.hour import Hour, Sample
from bench.growth.line import fit
from bench.growth.windows import Case, Cost
from bench.runner.options import command_line
from bench.runner.results import Section
from tests.unit.bench.sections import section


def test_a_line_is_fitted_through_its_points() -> None:
    line = fit([0, 1, 2, 3], [10, 12, 14, 16])
    assert (line.level, line.slope, line.span) == (13, 2, 3)
    assert line.growth == pytest.approx(6 / 13)
    assert not line.flat


@pytest.mark.parametrize("y", [[50, 51, 49, 50], [50, 40, 30, 20], [0, 0, 0, 0], [50]])
def test_noise_and_falling_lines_are_flat(y: list[float]) -> None:
    assert fit(list(range(len(y))), y).flat


async def test_the_simulated_broadcast_makes_segments_and_playlists() -> None:
    broadcast = Broadcast(dvr_s=40, playlist_s=20)
    for _ in range(60):
        broadcast.make_segment()
        await broadcast.recorder.drain(5)
    for track in (VIDEO, AUDIO):
        text = (broadcast.window.playlist(track) or b"").decode()
        assert text.count("#EXTINF") in (10, 11)
        assert "59.m4s" in text and "#EXT-X-PART" in text
    assert "<MPD" in (broadcast.window.manifest(now_ms=0) or b"").decode()
    indexes = broadcast.recorder.ledger.tracks
    assert [len(indexes[track].entries) for track in (VIDEO, AUDIO)] == pytest.approx([20, 21], abs=1)
    assert indexes[AUDIO].duration_s() == pytest.approx(42, abs=2.1)
    assert await broadcast.recorder.finish()
    assert f"live/{STREAM}/{BROADCAST}/{VIDEO}/media.m3u8" in broadcast.store.text_bytes


def cost(dvr: int | None, playlist: int, make: float, memory: int, entries: int) -> Cost:
    return Cost(Case(dvr, playlist, 43_200, 300), make, 1.0, 1.0, 1.0, memory, entries, 500.0, 4_000_000)


def hour(*mebibytes: int) -> Hour:
    samples = tuple(Sample(60.0 * number, each * MIB, 0.25) for number, each in enumerate(mebibytes))
    return Hour(samples, publishers=4, lost=0)


def over_time(found: Hour, *arguments: str) -> Section:
    return section(BENCHMARK, ("hour", {"Headwater": [found]}), kind=TIME, arguments=arguments)


def test_the_section_distinguishes_a_flat_line_from_growth() -> None:
    found = over_time(hour(100, 100, 100))
    assert [row.values["verdict"] for row in found.tables[0].rows] == ["a line, flat"] * 2
    assert [row.command for row in found.tables[0].rows] == ["again hour"] * 2
    assert [aim.met for aim in found.aims] == [True]
    assert found.plots[0].series[0].x == (0.0, 1.0, 2.0)
    grown = over_time(hour(100, 110, 120))
    assert grown.tables[0].rows[0].values["growth"] == pytest.approx(100 * 20 / 110)
    assert [aim.met for aim in grown.aims] == [False]
    assert [aim.met for aim in over_time(hour(1, 2), "--smoke").aims] == [None]


def test_windows_are_compared_if_their_playlists_list_equally_much() -> None:
    costs = [
        cost(60, 60, 1.0, 1000, 60),
        cost(43_200, 60, 1.2, 1000 + 43_140 * 100, 43_200),
        cost(None, 60, 1.5, 1000 + 43_140 * 100, 43_200),
        cost(3600, 3600, 99.0, 10**9, 3600),
    ]
    found = section(BENCHMARK, *((each.case, {"Headwater": [each]}) for each in costs), kind=WINDOW)
    assert [(aim.measured.split()[0], aim.met) for aim in found.aims] == [("1.12", False), ("100", True)]
    assert [row.values["dvr"] for row in found.tables[0].rows] == ["1 min", "12 h", "all", "1 h"]


@pytest.mark.parametrize(("seconds", "words"), [(None, "all"), (7200, "2 h"), (120, "2 min"), (90, "90 s")])
def test_windows_are_worded_with_units(seconds: int | None, words: str) -> None:
    assert in_words(seconds) == words


def test_the_command_line() -> None:
    options = BENCHMARK.parse(["--windows", "1m/20s,all/1h", "--minutes", "0"])
    assert options.windows == (Window(60, 20), Window(None, 3600))
    again = command_line("growth", BENCHMARK.options, options, publishers=None, warm_up=None)
    assert again == "python -m bench.growth --minutes 0 --windows 60s/20s,all/3600s --hours 12"
    assert BENCHMARK.parse(["--windows", "none"]).windows == ()
    with pytest.raises(SystemExit):
        BENCHMARK.parse(["--publishers", "0"])
