from array import array
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.density.candidates import HEADWATER, MEDIAMTX, NGINX
from bench.density.listings import Listing, lateness, watching
from bench.density.measure import Measured
from bench.density.section import MIB, Round, section
from bench.stage.processes import Cpu, Memory
from media.names import FIRST_MSN
from tests.lab.rtmp.publishers import Sent


def playlist(first: int, *durations: float) -> str:
    return f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{first}\n" + "".join(
        f"#EXTINF:{each:.3f},\nx.ts\n" for each in durations
    )


@pytest.mark.parametrize("first", [0, FIRST_MSN])
def test_a_segment_is_listed_when_a_playlist_first_names_it(first: int) -> None:
    listing = Listing()
    listing.take(playlist(first, 2.0), 102.5)
    listing.take(playlist(first, 2.0, 2.0), 104.5)
    listing.take(playlist(first + 2, 2.0), 106.5)
    assert list(listing.ends()) == [(2.0, 102.5), (4.0, 104.5), (6.0, 106.5)]


@pytest.mark.parametrize("first", [0, FIRST_MSN])
def test_after_a_gap_nobody_knows_where_a_segment_ends(first: int) -> None:
    listing = Listing()
    assert list(listing.ends()) == []
    listing.take(playlist(first, 2.0), 102.5)
    listing.take(playlist(first + 3, 2.0), 108.5)
    assert list(listing.ends()) == [(2.0, 102.5)]


def test_lateness_is_from_the_last_frame() -> None:
    frames = array("d", [100 + number / 10 for number in range(60)])
    listing = Listing()
    for number, listed in enumerate((102.0, 104.2, 106.0)):
        listing.take(playlist(number, 2.0), listed)
    assert lateness(listing, frames, 10, since=103, until=200) == pytest.approx([0.3, 0.1])
    assert lateness(listing, frames[:50], 10, since=0, until=105) == pytest.approx([0.1, 0.3])


def test_a_playlist_file_is_found_and_read(tmp_path: Path) -> None:
    path = tmp_path / "media.m3u8"
    path.write_text(playlist(0, 2.0))
    with watching([lambda: path, lambda: None]) as listings:
        assert len(listings) == 2
    assert list(listings[0].listed) == [0]
    assert listings[0].listed[0] == path.stat().st_mtime
    assert not listings[1].listed


def measured(publishers: int, user: float, system: float, mebibytes: int, *late: float) -> Measured:
    """Seconds of CPU a stream-second, and memory a stream."""
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


def test_the_section_compares_what_took_turns() -> None:
    rounds = [
        Round(10, {HEADWATER: measured(10, 0.002, 0.001, 5, 0.04), NGINX: measured(10, 0.001, 0.004, 1, 0.03)}),
        Round(
            10, {HEADWATER: measured(10, 0.003, 0.001, 5, 0.05, 0.06), NGINX: measured(10, 0.001, 0.004, 1, 0.03)}
        ),
        Round(50, {HEADWATER: measured(50, 0.003, 0.002, 13, 0.04), NGINX: measured(50, 0.001, 0.003, 1, 0.03)}),
    ]
    found = section(rounds, "all of it", "--seconds 10", ["skipped"], small=False)
    costs = found.tables[0]
    assert [row.command for row in costs.rows][::2] == [
        "python -m bench.density --publishers 10 --seconds 10",
        "python -m bench.density --publishers 50 --seconds 10",
    ]
    first = costs.rows[0].values
    assert first["cpu"] == pytest.approx(0.35)
    assert first["user"] == pytest.approx(0.25)
    assert first["system"] == pytest.approx(0.1)
    assert first["ratio"] == pytest.approx(0.7)
    assert (first["memory"], first["base"]) == (5.0, 100.0)
    assert (first["late_p50"], first["late_max"]) == (50.0, 60.0)
    assert first["written"] == 500.0
    assert costs.rows[1].values["ratio"] is None
    assert [(aim.measured, aim.met) for aim in found.aims] == [
        ("0.70 at 10, 1.25 at 50", False),
        ("5.0 MiB at 10, 13.0 MiB at 50", False),
        ("1.43 times from 10 to 50 streams", False),
    ]
    assert found.notes[0] == "skipped"
    assert "1.00% of their frames" in found.notes[1]


def test_small_and_lonely_runs_prove_nothing() -> None:
    alone = [Round(2, {HEADWATER: measured(2, 0.1, 0.1, 1, 0.04)})]
    assert [aim.met for aim in section(alone, "", "", (), small=True).aims] == [None, None, None]
    assert [aim.met for aim in section(alone, "", "", (), small=False).aims] == [None, True, None]


@pytest.mark.parametrize("late", [(), (0.04, 3.0)])
def test_who_falls_behind_is_not_compared(late: tuple[float, ...]) -> None:
    rounds = [Round(9, {HEADWATER: measured(9, 0.001, 0.001, 1, *late), NGINX: measured(9, 0.1, 0.1, 1, 0.03)})]
    found = section(rounds, "", "", (), small=False)
    assert found.tables[0].rows[0].values["ratio"] is None
    assert [aim.met for aim in found.aims] == [None, None, None]
    assert found.notes[0].startswith("Headwater did not keep up with 9 publishers")


def test_where_headwater_falls_behind_the_other_numbers_count() -> None:
    keeps = Round(10, {HEADWATER: measured(10, 0.1, 0.1, 1, 0.04), NGINX: measured(10, 0.2, 0.1, 1, 0.03)})
    behind = Round(200, {HEADWATER: measured(200, 0.1, 0.1, 1, 3.0), NGINX: measured(200, 0.1, 0.1, 1, 0.03)})
    found = section([keeps, behind], "", "", (), small=False)
    assert [(aim.measured, aim.met) for aim in found.aims] == [
        ("0.67 at 10", True),
        ("1.0 MiB at 10", True),
        ("1.00 times from 10 to 10 streams", None),
    ]
    assert found.notes[0].startswith("Headwater did not keep up with 200 publishers")


def test_a_peer_that_falls_behind_says_nothing_of_headwater() -> None:
    keeps = Round(10, {HEADWATER: measured(10, 0.1, 0.1, 1, 0.04), NGINX: measured(10, 0.2, 0.1, 1, 0.03)})
    behind = Round(200, {HEADWATER: measured(200, 0.1, 0.1, 1, 0.04), NGINX: measured(200, 0.1, 0.1, 1, 3.0)})
    found = section([keeps, behind], "", "", (), small=False)
    assert [row.values["ratio"] for row in found.tables[0].rows] == [
        pytest.approx(0.67, abs=0.01),
        None,
        None,
        None,
    ]
    assert [aim.met for aim in found.aims] == [True, True, True]


def test_who_cuts_publishers_off_has_not_kept_up() -> None:
    found = measured(9, 0.001, 0.001, 1, 0.04)
    assert found.kept_up
    found.sent.lost[3] = "the server takes nothing any more"
    assert not found.kept_up


def test_a_peer_with_its_playlists_in_memory_is_compared_by_its_cpu() -> None:
    peer = replace(measured(9, 0.003, 0.001, 1), late=None)
    rounds = [Round(9, {NGINX: measured(9, 0.001, 0.001, 1, 0.03), MEDIAMTX: peer})]
    values = section(rounds, "", "", (), small=False).tables[0].rows[1].values
    assert values["ratio"] == pytest.approx(2.0)
    assert (values["late_p50"], values["late_max"]) == (None, None)


def test_a_peer_alone_has_no_aims() -> None:
    assert section([Round(9, {NGINX: measured(9, 0.1, 0.1, 1, 0.03)})], "", "", (), small=False).aims == ()
