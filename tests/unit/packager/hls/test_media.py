import pytest

from packager.hls import (
    MediaPlaylist,
    MediaSegment,
    OpenSegment,
    PartialSegment,
    PlaylistType,
    PreloadHint,
    RenditionReport,
    ServerControl,
    StartPoint,
    render,
    render_media,
)
from packager.hls.media import target_duration
from packager.playlist_errors import UnrepresentableValue


def test_live_playlist_renders_as_the_draft_specifies() -> None:
    playlist = MediaPlaylist(
        target_duration=2,
        media_sequence=12,
        segments=(
            MediaSegment("12.m4s", 2_002_000, "init-0.mp4", program_date_time=1_795_257_665_123),
            MediaSegment("13.m4s", 2_000_000, "init-0.mp4", gap=True, program_date_time=1_795_257_667_125),
            MediaSegment(
                "14.m4s", 1_966_667, "init-1.mp4", discontinuity=True, program_date_time=1_795_257_701_000
            ),
        ),
        discontinuity_sequence=3,
        independent_segments=True,
    )
    assert render(playlist) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:6\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-MEDIA-SEQUENCE:12\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
        '#EXT-X-MAP:URI="init-0.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:41:05.123Z\n"
        "#EXTINF:2.002,\n"
        "12.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:41:07.125Z\n"
        "#EXT-X-GAP\n"
        "#EXTINF:2,\n"
        "13.m4s\n"
        "#EXT-X-DISCONTINUITY\n"
        '#EXT-X-MAP:URI="init-1.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:41:41.000Z\n"
        "#EXTINF:1.966667,\n"
        "14.m4s\n"
    )


def test_low_latency_playlist_renders_as_the_draft_specifies() -> None:
    playlist = MediaPlaylist(
        target_duration=2,
        media_sequence=7,
        segments=(
            MediaSegment(
                "7.m4s",
                1_000_000,
                "init-0.mp4",
                parts=(
                    PartialSegment("7.0.m4s", 500_000, independent=True),
                    PartialSegment("7.1.m4s", 500_000, gap=True),
                ),
            ),
        ),
        start=StartPoint(-1_500_000, precise=True),
        server_control=ServerControl(
            can_block_reload=True, part_hold_back_us=1_500_000, can_skip_until_us=12_000_000, hold_back_us=6_000_000
        ),
        part_target_us=500_000,
        partial=OpenSegment(
            (PartialSegment("8.m4s", 333_333, byte_range=(1000, 20)),),
            "init-1.mp4",
            discontinuity=True,
            program_date_time=0,
        ),
        preload_hint=PreloadHint("8.m4s", byte_range_start=1020),
        rendition_reports=(RenditionReport("../a128k/media.m3u8", 8, 0), RenditionReport("../v/media.m3u8", 7)),
    )
    assert render_media(playlist) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:6\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-START:TIME-OFFSET=-1.5,PRECISE=YES\n"
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6,PART-HOLD-BACK=1.5\n"
        "#EXT-X-PART-INF:PART-TARGET=0.5\n"
        "#EXT-X-MEDIA-SEQUENCE:7\n"
        '#EXT-X-MAP:URI="init-0.mp4"\n'
        '#EXT-X-PART:DURATION=0.5,URI="7.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PART:DURATION=0.5,URI="7.1.m4s",GAP=YES\n'
        "#EXTINF:1,\n"
        "7.m4s\n"
        "#EXT-X-DISCONTINUITY\n"
        '#EXT-X-MAP:URI="init-1.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:00.000Z\n"
        '#EXT-X-PART:DURATION=0.333333,URI="8.m4s",BYTERANGE="1000@20"\n'
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.m4s",BYTERANGE-START=1020\n'
        '#EXT-X-RENDITION-REPORT:URI="../a128k/media.m3u8",LAST-MSN=8,LAST-PART=0\n'
        '#EXT-X-RENDITION-REPORT:URI="../v/media.m3u8",LAST-MSN=7\n'
    )


def test_ended_playlist_ends_with_endlist() -> None:
    playlist = MediaPlaylist(
        2, playlist_type=PlaylistType.VOD, segments=(MediaSegment("0.m4s", 2_000_000),), ended=True
    )
    text = render_media(playlist)
    assert "#EXT-X-PLAYLIST-TYPE:VOD\n" in text
    assert text.endswith("0.m4s\n#EXT-X-ENDLIST\n")


@pytest.mark.parametrize(
    ("segments", "skipped", "version"),
    [
        ((MediaSegment("0.ts", 2_000_000),), 0, None),
        ((MediaSegment("0.ts", 2_000_001),), 0, 3),
        ((MediaSegment("0.m4s", 2_000_000, "init-0.mp4"),), 0, 6),
        ((MediaSegment("9.m4s", 2_000_000, "init-0.mp4"),), 9, 9),
        ((MediaSegment("9.ts", 2_000_000),), 9, 9),
    ],
)
def test_version_is_the_lowest_that_the_tags_require(
    segments: tuple[MediaSegment, ...], skipped: int, version: int | None
) -> None:
    text = render_media(MediaPlaylist(2, segments=segments, skipped_segments=skipped))
    versions = [line for line in text.splitlines() if line.startswith("#EXT-X-VERSION")]
    assert versions == ([] if version is None else [f"#EXT-X-VERSION:{version}"])


def test_map_in_the_open_segment_requires_version_6() -> None:
    partial = OpenSegment((PartialSegment("0.0.m4s", 200_000),), "init-0.mp4")
    assert "#EXT-X-VERSION:6\n" in render_media(MediaPlaylist(2, partial=partial))


@pytest.mark.parametrize(
    ("longest_us", "seconds"), [(2_000_000, 2), (2_499_999, 2), (2_500_000, 3), (100_000, 1), (0, 1)]
)
def test_target_duration_is_rounded_to_the_nearest_second(longest_us: int, seconds: int) -> None:
    assert target_duration(longest_us) == seconds


@pytest.mark.parametrize("uri", ["", "#0.m4s", "0.m4s\n#EXT-X-ENDLIST", " 0.m4s", "0\u2028.m4s", "\x85"])
def test_uri_that_would_not_be_a_uri_line_is_rejected(uri: str) -> None:
    with pytest.raises(UnrepresentableValue):
        MediaSegment(uri, 2_000_000)


@pytest.mark.parametrize("uri", ['a"b', "a\nb", "a\rb", "\x00"])
def test_quoted_values_reject_quotes_and_control_characters(uri: str) -> None:
    with pytest.raises(UnrepresentableValue):
        PartialSegment(uri, 1000)
    with pytest.raises(UnrepresentableValue):
        render_media(MediaPlaylist(2, segments=(MediaSegment("0.m4s", 1000, uri),)))


def test_negative_numbers_are_rejected() -> None:
    with pytest.raises(UnrepresentableValue):
        MediaSegment("0.m4s", -1)
    with pytest.raises(UnrepresentableValue):
        MediaPlaylist(2, media_sequence=-1)


def test_segment_without_map_after_one_with_map_is_rejected() -> None:
    segments = (MediaSegment("0.m4s", 1000, "init-0.mp4"), MediaSegment("1.ts", 1000))
    with pytest.raises(UnrepresentableValue):
        render_media(MediaPlaylist(2, segments=segments))


def test_time_outside_the_calendar_is_rejected() -> None:
    with pytest.raises(UnrepresentableValue):
        MediaSegment("0.m4s", 1000, program_date_time=10**18)


def test_lines_are_rendered_once_and_do_not_affect_equality() -> None:
    segment = MediaSegment("0.m4s", 1_000_000)
    assert segment.lines is segment.lines
    assert segment == MediaSegment("0.m4s", 1_000_000)
    assert "lines" not in repr(segment)
