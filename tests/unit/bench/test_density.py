import os
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.density.__main__ import BENCHMARK, MIB
from bench.density.listings import Listing, lateness, watching
from bench.density.measure import Measured
from bench.servers import HEADWATER, MEDIAMTX, NGINX
from media.names import FIRST_MSN
from tests.lab.processes import Cpu, Memory
from tests.lab.rtmp.publishers import Sent
from tests.unit.bench.sections import section


def playlist(first: int, *durations: float) -> str:
    return f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{first}\n" + "".join(
        f"#EXTINF:{each:.3f},\nx.ts\n" for each in durations
    )


def at(seconds: float) -> Callable[[str], float]:
    return lambda uri: seconds


@pytest.mark.parametrize("first", [0, FIRST_MSN])
def test_a_segment_is_listed_when_a_playlist_first_lists_it(first: int) -> None:
    listing = Listing()
    listing.take(playlist(first, 2.0), at(102.5))
    listing.take(playlist(first, 2.0, 2.0), at(104.5))
    listing.take(playlist(first + 2, 2.0), at(106.5))
    assert list(listing.ends()) == [(2.0, 102.5), (4.0, 104.5), (6.0, 106.5)]


@pytest.mark.parametrize("first", [0, FIRST_MSN])
def test_after_missing_segments_ends_are_unknown(first: int) -> None:
    listing = Listing()
    assert list(listing.ends()) == []
    listing.take(playlist(first, 2.0), at(102.5))
    listing.take(playlist(first + 3, 2.0), at(108.5))
    assert list(listing.ends()) == [(2.0, 102.5)]


def test_lateness_counts_from_the_last_frame() -> None:
    frames = array("d", [100 + number / 10 for number in range(60)])
    listing = Listing()
    for number, listed in enumerate((102.0, 104.2, 106.0)):
        listing.take(playlist(number, 2.0), at(listed))
    assert lateness(listing, frames, 10, since=103, until=200) == pytest.approx([0.3, 0.1])
    assert lateness(listing, frames[:50], 10, since=0, until=105) == pytest.approx([0.1, 0.3])


def test_a_playlist_file_is_found_and_read(tmp_path: Path) -> None:
    path = tmp_path / "media.m3u8"
    path.write_text(playlist(0, 2.0))
    segment = tmp_path / "x.ts"
    segment.touch()
    os.utime(segment, (100, 100))
    for files, expected in ((False, path), (True, segment)):
        with watching(tmp_path, ["media.m3u8", "absent.m3u8"], files=files) as listings:
            assert len(listings) == 2
        assert listings[0].listed == {0: expected.stat().st_mtime}
        assert not listings[1].listed


def measured(publishers: int, user: float, system: float, mebibytes: int, *late: float) -> Measured:
    """``user`` and ``system`` are CPU seconds per stream-second, ``mebibytes`` is memory per stream."""
    return Measured(
        publishers=publishers,
        seconds=10.0,
        cpu=Cpu(user * publishers * 10, system * publishers * 10),
        base=Memory(pss=100 * MIB),
        peak=Memory(pss=(100 + mebibytes * publishers) * MIB),
        late=late,
        written=500_000 * publishers * 10,
        files={".m3u8": 2},
        sent=Sent(late_ms=Counter({0: 99, 12: 1})),
    )


def test_the_section_compares_turns() -> None:
    peer = measured(10, 0.001, 0.004, 1, 0.03)
    few = {HEADWATER: [measured(10, 0.002, 0.001, 5, 0.04), measured(10, 0.003, 0.001, 5, 0.05, 0.06)]}
    many = {HEADWATER: [measured(50, 0.003, 0.002, 13, 0.04)], NGINX: [measured(50, 0.001, 0.003, 1, 0.03)]}
    found = section(BENCHMARK, (10, {**few, NGINX: [peer, peer]}), (50, many), notes=["skipped"])
    costs = found.tables[0]
    assert [row.command for row in costs.rows][::2] == ["again 10", "again 50"]
    first = costs.rows[0].values
    assert first["cpu"] == pytest.approx(0.35)
    assert first["user"] == pytest.approx(0.25)
    assert first["system"] == pytest.approx(0.1)
    assert first["ratio"] == pytest.approx(0.7)
    assert (first["memory"], first["base"]) == (5.0, 100.0)
    assert (first["late_p50"], first["late_max"]) == (50.0, 60.0)
    assert found.tables[1].rows[0].values["written"] == 500.0
    assert costs.rows[1].values["ratio"] is None
    assert [(aim.measured, aim.met) for aim in found.aims] == [
        ("0.70 at 10, 1.25 at 50", False),
        ("5.0 MiB at 10, 13.0 MiB at 50", False),
        ("1.43 times from 10 to 50 streams", False),
    ]
    assert found.notes[0] == "skipped"
    assert "1.00% of their messages" in found.notes[1]


def test_short_runs_and_runs_without_peers_decide_no_aim() -> None:
    alone = (2, {HEADWATER: [measured(2, 0.1, 0.1, 1, 0.04)]})
    assert [aim.met for aim in section(BENCHMARK, alone, arguments=["--smoke"]).aims] == [None, None, None]
    assert [aim.met for aim in section(BENCHMARK, alone).aims] == [None, True, None]


@pytest.mark.parametrize("late", [(), (0.04, 3.0)])
def test_a_server_that_falls_behind_is_not_compared(late: tuple[float, ...]) -> None:
    turns = {HEADWATER: [measured(9, 0.001, 0.001, 1, *late)], NGINX: [measured(9, 0.1, 0.1, 1, 0.03)]}
    found = section(BENCHMARK, (9, turns))
    assert found.tables[0].rows[0].values["ratio"] is None
    assert [aim.met for aim in found.aims] == [None, None, None]
    assert found.notes[0].startswith("Headwater did not keep up with 9 publishers")


KEEPS = (10, {HEADWATER: [measured(10, 0.1, 0.1, 1, 0.04)], NGINX: [measured(10, 0.2, 0.1, 1, 0.03)]})


def test_if_headwater_falls_behind_only_other_numbers_of_streams_count() -> None:
    behind = {HEADWATER: [measured(200, 0.1, 0.1, 1, 3.0)], NGINX: [measured(200, 0.1, 0.1, 1, 0.03)]}
    found = section(BENCHMARK, KEEPS, (200, behind))
    assert [(aim.measured, aim.met) for aim in found.aims] == [
        ("0.67 at 10", True),
        ("1.0 MiB at 10", True),
        ("1.00 times from 10 to 10 streams", None),
    ]
    assert found.notes[0].startswith("Headwater did not keep up with 200 publishers")


def test_a_peer_that_falls_behind_does_not_count_against_headwater() -> None:
    behind = {HEADWATER: [measured(200, 0.1, 0.1, 1, 0.04)], NGINX: [measured(200, 0.1, 0.1, 1, 3.0)]}
    found = section(BENCHMARK, KEEPS, (200, behind))
    ratios = [row.values["ratio"] for row in found.tables[0].rows]
    assert ratios == [pytest.approx(0.67, abs=0.01), None, None, None]
    assert [aim.met for aim in found.aims] == [True, True, True]


def test_a_server_that_cuts_publishers_off_has_not_kept_up() -> None:
    found = measured(9, 0.001, 0.001, 1, 0.04)
    assert found.kept_up
    found.sent.lost[3] = "the server takes no more data"
    assert not found.kept_up


def test_a_peer_with_its_playlists_in_memory_is_compared_by_its_cpu() -> None:
    peer = replace(measured(9, 0.003, 0.001, 1), late=None)
    found = section(BENCHMARK, (9, {NGINX: [measured(9, 0.001, 0.001, 1, 0.03)], MEDIAMTX: [peer]}))
    values = found.tables[0].rows[1].values
    assert values["ratio"] == pytest.approx(2.0)
    assert (values["late_p50"], values["late_max"]) == (None, None)


def test_a_peer_alone_has_no_aims() -> None:
    assert section(BENCHMARK, (9, {NGINX: [measured(9, 0.1, 0.1, 1, 0.03)]})).aims == ()
