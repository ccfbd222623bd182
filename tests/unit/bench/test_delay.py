from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.delay.__main__ import BENCHMARK, ENCODING
from bench.delay.measure import Delays, Measured, by_rendition, delays
from bench.delay.timeline import Timeline
from bench.delay.witness import Arrival, Followed, Seen, Witness
from bench.servers import HEADWATER, Running
from media.names import FIRST_MSN
from tests.lab.rtmp.publishers import Sent
from tests.lab.viewers.playlist import MediaPlaylist, parse_media
from tests.unit.bench.sections import section

PATH = "/live/s/b/vsource/media.m3u8"
BASE = "/live/s/b/vsource"


def playlist(first: int, *segments: tuple[int, float | None], skipped: int = 0) -> MediaPlaylist:
    """``segments`` are pairs: the number of parts of 0.5 s, and the duration if the segment is complete."""
    lines = ["#EXTM3U", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    if skipped:
        lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")
    for msn, (parts, duration) in enumerate(segments, first + skipped):
        lines += [f'#EXT-X-PART:DURATION=0.5,URI="{msn}.{part}.m4s"' for part in range(parts)]
        if duration is not None:
            lines += [f"#EXTINF:{duration},", f"{msn}.m4s"]
    return parse_media("\n".join(lines), PATH)


@pytest.mark.parametrize("first", [0, FIRST_MSN])
def test_a_parts_end_is_the_sum_of_the_durations_up_to_it(first: int) -> None:
    timeline = Timeline()
    timeline.take(playlist(first, (4, 2.0), (1, None)))
    timeline.take(playlist(first, (4, 1.5), (1, None), skipped=1))
    assert timeline.ends() == {
        **{f"{BASE}/{first}.{part}.m4s": 500_000 * (part + 1) for part in range(4)},
        **{f"{BASE}/{first + 1}.{part}.m4s": 2_000_000 + 500_000 * (part + 1) for part in range(4)},
        f"{BASE}/{first + 2}.0.m4s": 4_000_000,
    }


def test_a_part_after_missing_segments_has_no_position() -> None:
    timeline = Timeline()
    timeline.take(playlist(0, (0, 2.0)))
    timeline.take(playlist(2, (0, 2.0), (1, None)))
    assert timeline.ends() == {}


def test_gap_segments_in_a_servers_first_playlist_take_no_time() -> None:
    text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:5\n" + "#EXT-X-GAP\n#EXTINF:2.0,\ngap.mp4\n" * 2
    timeline = Timeline()
    timeline.take(parse_media(text + '#EXT-X-PART:DURATION=0.5,URI="p.mp4"', PATH))
    assert timeline.ends() == {f"{BASE}/p.mp4": 500_000}


@pytest.mark.parametrize("first", [0, FIRST_MSN])
def test_a_witness_joins_listed_parts_with_their_arrivals(first: int) -> None:
    witness, listed = Witness(), playlist(first, (2, None))
    witness.arrived(f"{BASE}/{first}.0.m4s", 0.0, 10.1, 10.2)
    witness.arrived(f"{BASE}/never-named.m4s", 0.0, 10.1, 10.2)
    witness.playlist_read(listed, listed.parts, 10.3)
    witness.failed("part", "status 404")
    assert witness.arrivals() == (Arrival(500_000, 10.3, 10.1, 10.2), Arrival(1_000_000, 10.3, None, None))
    assert witness.errors == {"part: status 404": 1}


def test_delays_are_from_the_last_frame_of_a_part() -> None:
    frames = [100 + number / 10 for number in range(30)]
    arrivals = [
        Arrival(500_000, 100.41, 100.42, 100.43),
        Arrival(1_000_000, 100.95, 100.925, 100.95),
        Arrival(1_500_000, 101.5, None, None),
        # Parts of a frame that was never sent, or that was sent too late to count.
        Arrival(9_000_000, 109.0, 109.0, 109.0),
        Arrival(2_500_000, 102.5, 102.5, 102.5),
    ]
    found = delays(arrivals, frames, 10, (100.5, 102.0))
    assert found.named == pytest.approx([0.05, 0.1])
    assert found.first_byte == pytest.approx([0.025])
    assert found.last_byte == pytest.approx([0.05])
    assert found.missing == 1


def test_a_server_may_begin_with_a_later_keyframe() -> None:
    frames = [100 + number / 10 for number in range(80)]
    times = [(500_000 * number, 102 + 0.5 * number) for number in (1, 2, 3)]
    late = [Arrival(end, at, at, at) for end, at in times]
    assert delays(late, frames, 10, (100, 200)).named == pytest.approx([0.1] * 3)
    one_is_early = [*late, Arrival(2_000_000, 103.85, 103.85, 103.85)]
    assert delays(one_is_early, frames, 10, (100, 200)).named == pytest.approx([2.1, 2.1, 2.1, 1.95])


def test_streams_of_one_rendition_count_together() -> None:
    running = Running(1, str, Path(), rendition=lambda path: path.split("/")[-2])
    arrival = Arrival(100_000, 5.0, 5.5, 5.75)
    followed = [
        Followed(place, f"/{place}/{track}/media.m3u8", (arrival,), Counter())
        for place, track in ((0, "a"), (7, "a"), (7, "b"))
    ]
    found = by_rendition(running, Seen(tuple(followed), array("d")), {0: [5.0], 7: [4.5]}, 10, (0, 9))
    assert {name: each.first_byte for name, each in found.items()} == {"a": [0.5, 1.0], "b": [1.0]}


def measured(renditions: Iterable[tuple[str, float]], errors: Counter[str] | None = None) -> Measured:
    found = {name: Delays([first], [first] * 99, [2 * first] * 99) for name, first in renditions}
    sent = Sent(late_ms=Counter({0: 99, 12: 1}))
    return Measured(found, errors or Counter(), 0.02, 0.01, [0.001], sent)


def test_the_section_has_a_row_for_each_rendition() -> None:
    found = section(
        BENCHMARK,
        (1, {HEADWATER: [measured([("source", 0.002)]), measured([("source", 0.004)])]}),
        (50, {HEADWATER: [measured([("source", 0.04)], Counter({"part: status 404": 2}))]}),
        (1, {ENCODING: [measured([("source", 0.05), ("480p", 0.06)])]}),
        notes=["skipped"],
    )
    rows = [(row.values["server"], row.values["rendition"], row.values["parts"]) for row in found.tables[0].rows]
    assert rows == [
        (HEADWATER, "source", 198),
        (HEADWATER, "source", 99),
        (ENCODING, "source", 99),
        (ENCODING, "480p", 99),
    ]
    assert found.tables[0].rows[0].values["first_p99"] == 4.0
    assert found.tables[0].rows[3].values["last_p50"] == 120.0
    (aim,) = found.aims
    assert (aim.measured, aim.met) == ("4.0 ms at 1, 40.0 ms at 50", False)
    assert found.notes[:2] == (
        "skipped",
        "Headwater's viewers met errors at 50 streams: part: status 404 (2).",
    )
    assert "1.00% of their messages" in found.notes[-1]


def test_short_runs_decide_no_aim() -> None:
    one = (1, {HEADWATER: [measured([("source", 0.002)])]})
    assert [aim.met for aim in section(BENCHMARK, one, arguments=["--smoke"]).aims] == [None]
    assert [aim.met for aim in section(BENCHMARK, one).aims] == [True]
    assert section(BENCHMARK, (1, {ENCODING: [measured([("480p", 0.002)])]})).aims == ()


def test_an_option_for_one_kind_of_load_omits_the_other() -> None:
    usual, encoded, smoke = (BENCHMARK.parse(words) for words in ([], ["--encoded", "2"], ["--smoke"]))
    assert (usual.streams, usual.encoded) == ((1, 10, 50), (1,))
    assert (encoded.streams, encoded.encoded) == (None, (2,))
    assert (smoke.streams, smoke.encoded) == ((1,), ())
