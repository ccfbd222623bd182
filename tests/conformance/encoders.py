"""Encodes with libx264 and FFmpeg's AAC encoder, and demuxes with PyAV as an independent reader."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.container.input import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from media.codecs.aac import parse_audio_specific_config
from media.codecs.h264.configuration import annexb_config
from media.codecs.h264.nal_units import annexb_to_lengths
from media.configs import AudioConfig, VideoConfig
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.fragment import Sample

GLOBAL_HEADER = 1 << 22


@dataclass(frozen=True)
class VideoSettings:
    width: int = 320
    height: int = 180
    frame_rate: Fraction = Fraction(30)
    pixel_format: str = "yuv420p"
    sample_aspect_ratio: Fraction = Fraction(1)
    # FFmpeg's AVColorPrimaries, AVColorTransferCharacteristic, AVColorSpace and AVColorRange (2 is full).
    colour: tuple[int, int, int, int] | None = None
    options: Mapping[str, str] = field(default_factory=dict)


def encode_video(settings: VideoSettings, frames: int) -> tuple[VideoConfig, list[AccessUnit]]:
    """Encode ``frames`` frames with motion. Units are in decoding order; the first has presentation time 0."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = settings.width, settings.height
    context.pix_fmt = settings.pixel_format
    context.framerate = settings.frame_rate
    context.time_base = 1 / settings.frame_rate
    context.sample_aspect_ratio = settings.sample_aspect_ratio
    if settings.colour:
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = settings.colour
    context.flags |= GLOBAL_HEADER
    context.options = {"preset": "ultrafast", **settings.options}
    units = []
    for index in [*range(frames), None]:
        for packet in context.encode(None if index is None else _picture(settings, index)):
            assert packet.pts is not None
            assert packet.dts is not None
            pts, dts = (round(ticks * VIDEO_TIMESCALE / settings.frame_rate) for ticks in (packet.pts, packet.dts))
            payload = annexb_to_lengths(bytes(packet))
            units.append(AccessUnit(Kind.VIDEO, dts, pts - dts, packet.is_keyframe, payload))
    assert context.extradata is not None
    return annexb_config(context.extradata), units


def encode_audio(sample_rate: int, layout: str, frames: int) -> tuple[AudioConfig, list[AccessUnit]]:
    """Encode a saw-tooth wave as about ``frames`` access units from time 0, including priming."""
    context = av.CodecContext.create("aac", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate = sample_rate
    context.layout = layout
    context.format = "fltp"
    context.time_base = Fraction(1, sample_rate)
    context.flags |= GLOBAL_HEADER
    context.open()
    packets = []
    for index in [*range(frames), None]:
        packets += context.encode(None if index is None else _sound(sample_rate, layout, index))
    assert context.extradata is not None
    config = parse_audio_specific_config(context.extradata)
    units = [
        AccessUnit(Kind.AUDIO, index * config.frame_samples, 0, True, bytes(packet))
        for index, packet in enumerate(packets)
    ]
    return config, units


def samples_of(units: list[AccessUnit], duration: int) -> list[Sample]:
    return [Sample(duration, unit.cts, unit.key, unit.payload) for unit in units]


def read(data: bytes) -> InputContainer:
    """Open ``data`` with PyAV."""
    container = av.open(io.BytesIO(data))
    assert isinstance(container, InputContainer)
    return container


def _picture(settings: VideoSettings, index: int) -> VideoFrame:
    frame = VideoFrame(settings.width, settings.height, settings.pixel_format)
    # The high byte of a 10-bit sample must not exceed 3, or libx264 aborts.
    mask = 0x03 if settings.pixel_format.endswith("10le") else 0x7F
    for plane in frame.planes:
        row = bytes((3 * column + 5 * index) & mask for column in range(plane.line_size))
        plane.update((row * (plane.buffer_size // len(row) + 1))[: plane.buffer_size])
    frame.pts = index
    return frame


def _sound(sample_rate: int, layout: str, index: int) -> AudioFrame:
    frame = AudioFrame(format="fltp", layout=layout, samples=1024)
    frame.sample_rate = sample_rate
    # Little-endian floats from 0.03 up.
    saw = b"".join(bytes((0, step & 0xFF, 0, 0x3D)) for step in range(1024))
    for plane in frame.planes[: frame.layout.nb_channels]:
        plane.update(saw.ljust(plane.buffer_size, b"\0")[: plane.buffer_size])
    frame.pts = index * 1024
    frame.time_base = Fraction(1, sample_rate)
    return frame
