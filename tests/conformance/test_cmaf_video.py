"""Video encoded by libx264, packaged by Headwater, and decoded by PyAV and ffmpeg."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from av.video.codeccontext import VideoCodecContext

from media.configs import VideoConfig
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.bitrate import TrackBitrate
from packager.cmaf.fragment import ProducerReference, Sample, fragment
from packager.cmaf.init_segment import init_segment
from tests.conformance.encoders import VideoSettings, encode_video, read, samples_of
from tests.conformance.ffmpeg_wheel import decoding_errors

FRAMES = 90
PART = 8
GOP = 30
# 90 kHz ticks: one hour into a broadcast.
START = 3600 * VIDEO_TIMESCALE

SETTINGS = {
    "b-frames": VideoSettings(
        sample_aspect_ratio=Fraction(4, 3),
        colour=(1, 1, 1, 1),
        options={"x264-params": f"bframes=3:b-adapt=0:b-pyramid=normal:keyint={GOP}:scenecut=0"},
    ),
    "no b-frames": VideoSettings(
        frame_rate=Fraction(25), options={"tune": "zerolatency", "x264-params": f"keyint={GOP}:scenecut=0"}
    ),
    "interlaced": VideoSettings(width=720, height=576, options={"x264-params": f"tff=1:keyint={GOP}:bframes=2"}),
}


@dataclass(frozen=True)
class Track:
    settings: VideoSettings
    config: VideoConfig
    units: list[AccessUnit]
    data: bytes


@pytest.fixture(scope="module", params=SETTINGS)
def track(request: pytest.FixtureRequest) -> Track:
    settings = SETTINGS[request.param]
    config, encoded = encode_video(settings, FRAMES)
    units = [unit._replace(dts=unit.dts + START) for unit in encoded]
    samples = samples_of(units, round(VIDEO_TIMESCALE / settings.frame_rate))
    init = init_segment(config, bitrate=TrackBitrate(2_000_000, 1_000_000))
    return Track(settings, config, units, init + pack(units[0].dts, samples))


def pack(base: int, samples: list[Sample]) -> bytes:
    """Fragments with at most ``PART`` frames; a segment starts at each key frame."""
    parts: list[bytes] = []
    time = base
    start = 0
    while start < len(samples):
        following = [index for index in range(start + 1, len(samples)) if samples[index].key]
        end = min([start + PART, len(samples), *following[:1]])
        chosen = samples[start:end]
        reference = ProducerReference(unix_ns=10**18, media_time=time) if chosen[0].key else None
        parts.append(
            fragment(
                len(parts) + 1,
                time,
                chosen,
                kind=Kind.VIDEO,
                producer_reference=reference,
                first_of_segment=chosen[0].key,
            )
        )
        time += sum(sample.duration for sample in chosen)
        start = end
    return b"".join(parts)


def test_fixture_reorders_frames_only_with_b_frames(track: Track) -> None:
    reordered = [unit.pts for unit in track.units] != sorted(unit.pts for unit in track.units)
    assert reordered is ("bframes" in track.settings.options["x264-params"])


def test_packets_have_the_encoders_payload_and_times(track: Track) -> None:
    with read(track.data) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert len(packets) == FRAMES
    assert [packet.time_base for packet in packets] == [Fraction(1, VIDEO_TIMESCALE)] * FRAMES
    assert [packet.pts for packet in packets] == [unit.pts for unit in track.units]
    assert [packet.dts for packet in packets] == [unit.dts for unit in track.units]
    assert [packet.is_keyframe for packet in packets] == [unit.key for unit in track.units]
    assert [bytes(packet) for packet in packets] == [unit.payload for unit in track.units]


def test_frames_are_decoded_and_presented_in_order(track: Track) -> None:
    with read(track.data) as container:
        frames = list(container.decode(video=0))
        stream = container.streams.video[0]
        assert stream.start_time == START
    assert [frame.pts for frame in frames] == sorted(unit.pts for unit in track.units)
    assert {(frame.width, frame.height) for frame in frames} == {(track.settings.width, track.settings.height)}
    assert all(frame.interlaced_frame is track.config.interlaced for frame in frames)


def test_container_has_the_encoders_settings(track: Track) -> None:
    with read(track.data) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert isinstance(context, VideoCodecContext)
        assert context.extradata == track.config.record
        assert stream.sample_aspect_ratio == track.settings.sample_aspect_ratio
        if track.settings.colour:
            actual = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
            assert tuple(map(int, actual)) == track.settings.colour


def test_ffmpeg_decodes_without_errors(track: Track, tmp_path: Path) -> None:
    path = tmp_path / "track.mp4"
    path.write_bytes(track.data)
    assert decoding_errors(path) == ""


def test_negative_composition_offsets_are_read_as_signed() -> None:
    """FFmpeg delays such a track by its most negative offset, and keeps the order of the frames."""
    config, units = encode_video(SETTINGS["b-frames"], FRAMES)
    lead = units[0].cts
    samples = [sample._replace(cts=sample.cts - lead) for sample in samples_of(units, 3000)]
    delay = -min(sample.cts for sample in samples)
    assert delay > 0
    with read(init_segment(config) + pack(units[0].pts, samples)) as container:
        presented = [frame.pts for frame in container.decode(video=0)]
    assert presented == sorted(unit.pts + delay for unit in units)
