import pytest

from bench.startup import playlists
from bench.startup.__main__ import BENCHMARK, MIB, PICTURE, PLAYLIST, START
from bench.startup.picture import Shown
from bench.startup.playlists import DASH, HLS, LOW_LATENCY, STANDARD, First, playable_dash, playable_hls
from bench.startup.server import Start
from tests.unit.bench.sections import groups, of_groups

MASTER = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1"\n20260101t000000z-abcdef/vsource/media.m3u8\n'
LIVE = "http://origin/live/startup"


@pytest.mark.parametrize(
    ("media", "playable"),
    [
        (None, False),
        ("#EXTM3U\n#EXT-X-PART-INF:PART-TARGET=0.333\n", False),
        ('#EXTM3U\n#EXT-X-PART:DURATION=0.333,URI="0.0.m4s"\n', True),
        ("#EXTM3U\n#EXTINF:2,\n0.m4s\n", True),
    ],
)
def test_hls_is_playable_with_a_part_or_a_segment(
    monkeypatch: pytest.MonkeyPatch, media: str | None, playable: bool
) -> None:
    answers = {
        f"{LIVE}/master.m3u8": MASTER,
        f"{LIVE}/20260101t000000z-abcdef/vsource/media.m3u8": media,
    }
    monkeypatch.setattr(playlists, "_get", answers.__getitem__)
    assert playable_hls(LIVE) == (media if playable else None)


@pytest.mark.parametrize(
    ("manifest", "playable"),
    [
        (None, False),
        ("<MPD></MPD>", False),
        ('<MPD maxSegmentDuration="PT2S"><Period><SegmentTemplate timescale="1"/></Period></MPD>', False),
        ('<SegmentTemplate timescale="1"><SegmentTimeline><S t="0" d="2"/></SegmentTimeline>', True),
        ('<SegmentTemplate timescale="1" duration="2" availabilityTimeOffset="1.6"/>', True),
    ],
)
def test_dash_is_playable_with_a_listed_or_counted_segment(
    monkeypatch: pytest.MonkeyPatch, manifest: str | None, playable: bool
) -> None:
    monkeypatch.setattr(playlists, "_get", {f"{LIVE}/manifest.mpd": manifest}.__getitem__)
    assert playable_dash(LIVE) == (manifest if playable else None)


def test_without_a_multivariant_playlist_nothing_else_is_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlists, "_get", {f"{LIVE}/master.m3u8": None}.__getitem__)
    assert playable_hls(LIVE) is None


STARTS = groups(
    ("server", {"Headwater": [Start(0.9, 0.8, 60 * MIB), Start(0.7, 0.6, 62 * MIB), Start(3.0, 0.7, 61 * MIB)]}),
    kind=START,
)
FIRST_PLAYLISTS = groups(
    (
        "playlist",
        {
            LOW_LATENCY: [First({HLS: 0.5, DASH: 0.6}), First({HLS: 0.7, DASH: 0.8})],
            STANDARD: [First({HLS: 2.1, DASH: 2.2})],
        },
    ),
    kind=PLAYLIST,
)
PICTURES = groups(
    ("picture", {"hls": [Shown(1.0), Shown(1.2), Shown(9.0)], "dash": [Shown(3.0)]}),
    kind=PICTURE,
)


def test_the_section_has_medians_and_aims() -> None:
    found = of_groups(BENCHMARK, (*STARTS, *FIRST_PLAYLISTS, *PICTURES))
    start = found.tables[0].rows[0].values
    assert (start["seconds"], start["longest"], start["cpu"], start["memory"]) == (0.9, 3.0, 0.7, 61)
    assert [row.values["what"] for row in found.tables[1].rows] == [
        "HLS playlist, low latency",
        "DASH playlist, low latency",
        "HLS playlist, standard",
        "DASH playlist, standard",
    ]
    assert [row.values["seconds"] for row in found.tables[1].rows] == pytest.approx([0.6, 0.7, 2.1, 2.2])
    assert [row.values["seconds"] for row in found.tables[2].rows] == [1.2, 3.0]
    assert [(aim.measured, aim.met) for aim in found.aims] == [
        ("0.90 s", True),
        ("0.60 s", True),
        ("hls 1.20 s, dash 3.00 s", False),
    ]
    assert len(found.plots[0].series[0].x) == 7


def test_short_runs_and_runs_without_a_browser_decide_no_aim() -> None:
    found = of_groups(BENCHMARK, (*STARTS, *FIRST_PLAYLISTS), ["--smoke"])
    assert [aim.met for aim in found.aims] == [None, None]
    assert len(found.tables) == 2
