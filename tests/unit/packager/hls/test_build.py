from dataclasses import replace
from fractions import Fraction

import pytest

from media.configs import Colour, VideoConfig
from media.names import FIRST_MSN
from media.units import Codec
from packager.hls import PlaylistType, Variant, VideoRange
from packager.hls.build import (
    SegmentMemo,
    hls_segment,
    media_playlist,
    multivariant_playlist,
    recording_playlist,
)
from tests.unit.packager.broadcasts import A64, A128, FACTS, STEREO, V480, V720, ZERO_MS, entries


def test_media_segment_has_the_values_of_its_entry() -> None:
    entry = entries(V720, 4, discontinuities={3}, inits={3})[3]
    segment = hls_segment(entry, 90_000)
    assert (segment.uri, segment.map_uri, segment.duration_us) == ("3.m4s", "init-1.mp4", 2_002_000)
    assert segment.discontinuity and not segment.gap
    assert segment.program_date_time == ZERO_MS + 6006


def test_durations_add_up_without_rounding_drift() -> None:
    """At 44.1 kHz, a frame is not a whole number of microseconds. The sum over an hour must still be exact."""
    track = replace(A128, config=replace(STEREO, sample_rate=44_100))
    made = entries(track, 1800)
    end = made[-1].start + made[-1].duration
    playlist = media_playlist(track, made, ended=True, target_ms=2000)
    assert sum(segment.duration_us for segment in playlist.segments) == round(Fraction(end * 1_000_000, 44_100))


def test_live_window_has_media_and_discontinuity_sequence() -> None:
    made = entries(V720, 12, discontinuities={4, 9})[6:]
    playlist = media_playlist(V720, made, ended=False, target_ms=2000)
    assert (playlist.media_sequence, playlist.discontinuity_sequence) == (6, 1)
    assert [segment.discontinuity for segment in playlist.segments] == [False, False, False, True, False, False]
    assert playlist.independent_segments
    assert not playlist.ended
    assert playlist.playlist_type is None


def test_only_a_complete_ended_broadcast_has_type_vod() -> None:
    made = entries(V720, FIRST_MSN + 5)[FIRST_MSN:]
    assert media_playlist(V720, made, ended=True, target_ms=2000).playlist_type is PlaylistType.VOD
    part = media_playlist(V720, made[1:], ended=True, target_ms=2000)
    assert part.ended and part.playlist_type is None


def test_a_recording_is_numbered_from_0_and_has_type_vod() -> None:
    """Also if the beginning of the broadcast has been deleted: nothing changes any more."""
    for made in (entries(V720, 9)[FIRST_MSN:], entries(V720, 9)[5:]):
        playlist = recording_playlist(V720, made, first_msn=made[0].msn, target_ms=2000)
        assert (playlist.media_sequence, playlist.playlist_type, playlist.ended) == (0, PlaylistType.VOD, True)
        assert [segment.uri for segment in playlist.segments] == [f"{entry.msn}.m4s" for entry in made]


def test_a_track_that_begins_later_keeps_its_distance_to_the_others() -> None:
    made = entries(V720, 9)[5:]
    assert recording_playlist(V720, made, first_msn=FIRST_MSN, target_ms=2000).media_sequence == 5 - FIRST_MSN


def test_a_multivariant_playlist_names_the_media_playlists_that_it_is_given() -> None:
    playlist = multivariant_playlist(FACTS, media="recording.m3u8")
    uris = [variant.uri for variant in playlist.variants] + [audio.uri for audio in playlist.audio if audio.uri]
    assert uris and all(uri.endswith("/recording.m3u8") for uri in uris)


def test_playlist_without_entries_is_empty() -> None:
    playlist = media_playlist(V720, [], ended=False, target_ms=2000)
    assert (playlist.segments, playlist.media_sequence, playlist.target_duration) == ((), FIRST_MSN, 2)


def test_target_duration_covers_the_intended_and_the_actual_durations() -> None:
    made = entries(V720, 3)
    assert media_playlist(V720, made, ended=False, target_ms=6000).target_duration == 6
    made[1] = replace(made[1], duration=405_000)
    assert media_playlist(V720, made, ended=False, target_ms=2000).target_duration == 5


def test_memo_rebuilds_a_segment_only_if_its_entry_changed() -> None:
    made, memo = entries(V720, 8), SegmentMemo()
    first = media_playlist(V720, made[:6], ended=False, target_ms=2000, memo=memo)
    made[4] = replace(made[4], gap=True)
    second = media_playlist(V720, made[2:], ended=False, target_ms=2000, memo=memo)
    assert second == media_playlist(V720, made[2:], ended=False, target_ms=2000)
    same = [new is old for new, old in zip(second.segments, first.segments[2:], strict=False)]
    assert same == [True, True, False, True]
    assert second.segments[2].gap


def test_one_dependent_segment_removes_independent_segments() -> None:
    made = entries(V720, 3)
    made[2] = replace(made[2], independent=False)
    assert not media_playlist(V720, made, ended=False, target_ms=2000).independent_segments


def test_segment_uses_the_timescale_of_its_own_init() -> None:
    """The sample rate changes at init 1; segments before it keep the timescale of init 0."""
    before = replace(STEREO, sample_rate=44_100)
    track = replace(A128, configs={0: before})
    old = replace(entries(replace(A128, config=before), 1)[0], init=0)
    assert media_playlist(track, [old], ended=False, target_ms=2000).segments[0].duration_us == 2_020_136


def test_every_video_track_is_a_variant_with_the_default_audio() -> None:
    playlist = multivariant_playlist(FACTS)
    assert playlist.variants == (
        Variant(
            uri="v480p/media.m3u8",
            bandwidth=1_731_000,
            codecs=("avc1.4d401f", "mp4a.40.2"),
            average_bandwidth=1_528_000,
            resolution=(854, 480),
            frame_rate=Fraction(30_000, 1001),
            video_range=VideoRange.SDR,
            audio="a128k",
        ),
        Variant(
            uri="vsource/media.m3u8",
            bandwidth=3_531_000,
            codecs=("avc1.64001f", "mp4a.40.2"),
            average_bandwidth=2_628_000,
            resolution=(1280, 720),
            frame_rate=Fraction(30_000, 1001),
            video_range=VideoRange.SDR,
            audio="a128k",
        ),
    )
    assert [rendition.uri for rendition in playlist.audio] == ["a128k/media.m3u8"]
    assert playlist.independent_segments


def test_audio_only_variant_is_the_lightest_and_has_its_own_group() -> None:
    playlist = multivariant_playlist(replace(FACTS, tracks=(V720, A128, A64)), prefix="20261121t104105z-ab12cd/")
    assert [(variant.uri, variant.audio) for variant in playlist.variants] == [
        ("20261121t104105z-ab12cd/vsource/media.m3u8", "a128k"),
        ("20261121t104105z-ab12cd/a64k/media.m3u8", "a64k"),
    ]
    # VLC 3 loses the sound if a variant and a rendition have the same URI.
    assert [rendition.uri for rendition in playlist.audio] == ["20261121t104105z-ab12cd/a128k/media.m3u8", None]
    # Every group must have renditions with the same NAMEs (4.4.6.1.1).
    assert {rendition.name for rendition in playlist.audio} == {"Sound"}
    assert {rendition.group_id for rendition in playlist.audio} == {"a128k", "a64k"}


def test_a_retired_rendition_is_a_variant_of_the_recording_only() -> None:
    facts = replace(FACTS, tracks=(V720, replace(V480, retired=True), A128))
    assert [variant.uri for variant in multivariant_playlist(facts).variants] == ["vsource/media.m3u8"]
    recording = multivariant_playlist(replace(facts, ended=True))
    assert [variant.uri for variant in recording.variants] == ["v480p/media.m3u8", "vsource/media.m3u8"]


def test_without_audio_variants_have_no_audio_group() -> None:
    playlist = multivariant_playlist(replace(FACTS, tracks=(V720,)))
    assert [(variant.codecs, variant.audio) for variant in playlist.variants] == [(("avc1.64001f",), None)]
    assert playlist.audio == ()


def test_without_video_every_audio_track_is_a_variant() -> None:
    playlist = multivariant_playlist(replace(FACTS, tracks=(A64, A128)))
    assert [(variant.uri, variant.audio) for variant in playlist.variants] == [
        ("a128k/media.m3u8", "a128k"),
        ("a64k/media.m3u8", "a64k"),
    ]
    assert [rendition.uri for rendition in playlist.audio] == [None, None]


def test_first_variant_is_the_best_below_the_start_bandwidth() -> None:
    heavy = replace(V720, peak_bps=9_000_000)
    lighter = replace(V480, track="v720p", peak_bps=2_300_000)
    lightest = replace(V480, track="v360p", peak_bps=900_000)
    playlist = multivariant_playlist(replace(FACTS, tracks=(heavy, lightest, lighter, A128)))
    assert [variant.uri.split("/")[0] for variant in playlist.variants] == ["v720p", "vsource", "v360p"]


def test_first_variant_is_the_lightest_if_all_exceed_the_start_bandwidth() -> None:
    tracks = tuple(replace(track, peak_bps=5 * track.peak_bps) for track in (V720, V480))
    playlist = multivariant_playlist(replace(FACTS, tracks=tracks))
    assert [variant.uri.split("/")[0] for variant in playlist.variants] == ["v480p", "vsource"]


def test_resolution_is_the_size_with_square_pixels() -> None:
    config = VideoConfig(Codec.H264, b"", "avc1.64001f", 720, 576, sample_aspect_ratio=Fraction(64, 45))
    playlist = multivariant_playlist(replace(FACTS, tracks=(replace(V720, config=config),)))
    assert playlist.variants[0].resolution == (1024, 576)
    assert playlist.variants[0].video_range is None


@pytest.mark.parametrize(
    ("transfer", "video_range"), [(1, VideoRange.SDR), (16, VideoRange.PQ), (18, VideoRange.HLG), (2, None)]
)
def test_video_range_follows_the_transfer_characteristics(transfer: int, video_range: VideoRange | None) -> None:
    config = VideoConfig(Codec.H264, b"", "avc1.64001f", 1280, 720, colour=Colour(9, transfer, 9, False))
    playlist = multivariant_playlist(replace(FACTS, tracks=(replace(V720, config=config),)))
    assert playlist.variants[0].video_range is video_range
