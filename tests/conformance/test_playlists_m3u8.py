"""The independent m3u8 package parses rendered playlists to the intended values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import m3u8
import pytest

from media.names import FIRST_MSN
from packager.hls import (
    MediaPlaylist,
    MediaSegment,
    OpenSegment,
    PartialSegment,
    PreloadHint,
    RenditionReport,
    ServerControl,
    delta,
    render,
)
from packager.hls.build import media_playlist, multivariant_playlist
from tests.unit.packager.broadcasts import A64, A128, FACTS, V480, V720, ZERO_MS, entries


def test_m3u8_parses_a_live_window() -> None:
    made = entries(V720, 40, discontinuities={12, 30}, inits={30}, gaps={25}, away_ticks=900_000)[20:]
    playlist = media_playlist(V720, made, ended=False, target_ms=2000)
    read = m3u8.loads(render(playlist))
    assert (str(read.version), read.target_duration) == ("6", 2)
    assert (read.media_sequence, read.discontinuity_sequence) == (20, 1)
    assert read.is_independent_segments and not read.is_endlist and not read.is_variant
    assert [segment.uri for segment in read.segments] == [f"{msn}.m4s" for msn in range(20, 40)]
    assert [segment.media_sequence for segment in read.segments] == list(range(20, 40))
    assert [segment.uri for segment in read.segments if segment.discontinuity] == ["30.m4s"]
    assert [segment.uri for segment in read.segments if segment.gap_tag] == ["25.m4s"]
    assert [segment.init_section and segment.init_section.uri for segment in read.segments] == [
        "init-0.mp4"
    ] * 10 + ["init-1.mp4"] * 10
    assert all(segment.duration == pytest.approx(2.002) for segment in read.segments)
    for segment, entry in zip(read.segments, made, strict=True):
        moment = segment.program_date_time
        assert moment is not None
        assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == entry.wall_ms


def test_m3u8_parses_an_ended_broadcast() -> None:
    made = entries(A128, FIRST_MSN + 10)[FIRST_MSN:]
    read = m3u8.loads(render(media_playlist(A128, made, ended=True, target_ms=2000)))
    assert read.is_endlist
    assert read.playlist_type == "vod"
    assert sum(segment.duration or 0 for segment in read.segments) == pytest.approx(20.032)


def test_m3u8_parses_a_multivariant_playlist() -> None:
    facts = replace(FACTS, tracks=(V720, V480, A128, A64))
    read = m3u8.loads(render(multivariant_playlist(facts, prefix="b/")))
    assert read.is_variant and read.is_independent_segments
    streams = {playlist.uri: playlist.stream_info for playlist in read.playlists}
    assert list(streams) == ["b/v480p/media.m3u8", "b/vsource/media.m3u8", "b/a64k/media.m3u8"]
    top = streams["b/vsource/media.m3u8"]
    assert (top.bandwidth, top.average_bandwidth) == (3_531_000, 2_628_000)
    assert (top.codecs, top.resolution, top.frame_rate) == ("avc1.64001f,mp4a.40.2", (1280, 720), 29.97)
    assert (top.video_range, top.audio, top.closed_captions) == ("SDR", "a128k", None)
    assert streams["b/a64k/media.m3u8"].resolution is None
    groups = {media.group_id: media for media in read.media}
    assert {media.type for media in read.media} == {"AUDIO"}
    assert groups["a128k"].uri == "b/a128k/media.m3u8"
    assert (groups["a128k"].default, groups["a128k"].autoselect, groups["a128k"].channels) == ("YES", "YES", "2")
    assert groups["a64k"].uri is None
    assert groups["a64k"].name == groups["a128k"].name == "Sound"
    for playlist in read.playlists:
        assert [media.group_id for media in playlist.media] == [playlist.stream_info.audio]


def test_m3u8_parses_low_latency_tags() -> None:
    parts = tuple(PartialSegment(f"10.{index}.m4s", 333_333, independent=index == 0) for index in range(6))
    segments = tuple(MediaSegment(f"{msn}.m4s", 2_000_000, "init-0.mp4") for msn in range(10))
    playlist = MediaPlaylist(
        target_duration=2,
        segments=(
            *segments,
            MediaSegment("10.m4s", 2_000_000, "init-0.mp4", parts=parts, program_date_time=ZERO_MS),
        ),
        server_control=ServerControl(
            can_block_reload=True, part_hold_back_us=1_000_000, can_skip_until_us=12_000_000
        ),
        part_target_us=333_334,
        partial=OpenSegment((PartialSegment("11.0.m4s", 333_333, independent=True),), "init-0.mp4"),
        preload_hint=PreloadHint("11.1.m4s"),
        rendition_reports=(RenditionReport("../a128k/media.m3u8", 11, 0),),
    )
    read = m3u8.loads(render(playlist))
    assert read.part_inf.part_target == 0.333334
    assert read.server_control.can_block_reload == "YES"
    assert (read.server_control.part_hold_back, read.server_control.can_skip_until) == (1, 12)
    assert [part.uri for part in read.segments[10].parts] == [f"10.{index}.m4s" for index in range(6)]
    assert [part.uri for part in read.segments[11].parts] == ["11.0.m4s"]
    assert (read.preload_hint.hint_type, read.preload_hint.uri) == ("PART", "11.1.m4s")
    assert [(r.uri, r.last_msn, r.last_part) for r in read.rendition_reports] == [("../a128k/media.m3u8", 11, 0)]
    update = m3u8.loads(render(delta(playlist, 12_000_000)))
    assert str(update.version) == "9"
    assert update.skip.skipped_segments == 5
    assert update.segments[0].uri == "5.m4s"
