import argparse

import pytest

from bench.growth.__main__ import parse
from bench.growth.broadcast import AUDIO, BROADCAST, STREAM, VIDEO, Broadcast
from bench.growth.hour import Hour, Sample
from bench.growth.line import fit
from bench.growth.section import MIB, section, worded
from bench.growth.windows import Case, Cost


def test_a_line_is_found_through_its_points() -> None:
    line = fit([0, 1, 2, 3], [10, 12, 14, 16])
    assert (line.level, line.slope, line.span) == (13, 2, 3)
    assert line.growth == pytest.approx(6 / 13)
    assert not line.flat


@pytest.mark.parametrize("y", [[50, 51, 49, 50], [50, 40, 30, 20], [0, 0, 0, 0], [50]])
def test_noise_and_what_shrinks_are_flat(y: list[float]) -> None:
    assert fit(list(range(len(y))), y).flat


async def test_the_simulated_broadcast_is_a_broadcast() -> None:
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
    assert await broadcast.recorder.finish(5)
    assert f"live/{STREAM}/{BROADCAST}/{VIDEO}/media.m3u8" in broadcast.store.text_bytes


def cost(dvr: int | None, playlist: int, make: float, memory: int, entries: int) -> Cost:
    return Cost(Case(dvr, playlist, 43_200, 300), make, 1.0, 1.0, 1.0, memory, entries, 500.0, 4_000_000)


def hour(*mebibytes: int) -> Hour:
    samples = tuple(Sample(60.0 * number, each * MIB, 0.25) for number, each in enumerate(mebibytes))
    return Hour(samples, publishers=4, lost=0)


def test_the_section_tells_a_line_from_growth() -> None:
    found = section(hour(100, 100, 100), (), "all", "one", (), small=False)
    assert [row.values["verdict"] for row in found.tables[0].rows] == ["a line, flat"] * 2
    assert [row.command for row in found.tables[0].rows] == ["one"] * 2
    assert [aim.met for aim in found.aims] == [True]
    assert found.plots[0].series[0].x == (0.0, 1.0, 2.0)
    grown = section(hour(100, 110, 120), (), "all", "one", (), small=False)
    assert grown.tables[0].rows[0].values["growth"] == pytest.approx(100 * 20 / 110)
    assert [aim.met for aim in grown.aims] == [False]
    assert [aim.met for aim in section(hour(1, 2), (), "", "", (), small=True).aims] == [None]


def test_windows_are_compared_where_playlists_list_equally_much() -> None:
    costs = [
        cost(60, 60, 1.0, 1000, 60),
        cost(43_200, 60, 1.2, 1000 + 43_140 * 100, 43_200),
        cost(None, 60, 1.5, 1000 + 43_140 * 100, 43_200),
        cost(3600, 3600, 99.0, 10**9, 3600),
    ]
    found = section(None, costs, "all", "", (), small=False)
    assert [(aim.measured.split()[0], aim.met) for aim in found.aims] == [("1.12", False), ("100", True)]
    commands = [row.command.partition("--windows ")[2] for row in found.tables[0].rows]
    assert commands == ["60s/60s", "43200s/60s", "all/60s --hours 12", "3600s/3600s"]


@pytest.mark.parametrize(("seconds", "words"), [(None, "all"), (7200, "2 h"), (120, "2 min"), (90, "90 s")])
def test_windows_are_said_as_people_say_them(seconds: int | None, words: str) -> None:
    assert worded(seconds) == words


def test_the_command_line() -> None:
    options: argparse.Namespace = parse(["--windows", "1m/20s,all/1h", "--minutes", "0"])
    assert options.windows == ((60, 20), (None, 3600))
    assert parse(["--windows", "none"]).windows == ()
    with pytest.raises(SystemExit):
        parse(["--publishers", "0"])
