"""Generated broadcasts: small pictures whose brightness encodes the frame number, and beeps."""

import array
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
from av import AudioFrame, VideoFrame
from av.codec.context import Flags

from media.codecs.aac import parse_audio_specific_config
from media.codecs.h264.configuration import annexb_config
from media.codecs.h264.nal_units import annexb_to_lengths
from media.codecs.mp3 import parse_frame_header
from media.configs import AudioConfig, Colour, VideoConfig
from media.units import AccessUnit, Kind

TICK = Fraction(1, 90_000)
DARKEST = 24
STEP = 12
SHADES = 16


@dataclass(frozen=True, slots=True)
class VideoSource:
    config: VideoConfig
    units: tuple[AccessUnit, ...]


@dataclass(frozen=True, slots=True)
class AudioSource:
    config: AudioConfig
    units: tuple[AccessUnit, ...]


def shade(number: int) -> int:
    """The luma of frame ``number``: distinct enough to survive any encoder, repeating every 16 frames."""
    return DARKEST + STEP * (number % SHADES)


def video(
    *,
    width: int = 320,
    height: int = 240,
    fps: Fraction = Fraction(30),
    frames: int = 30,
    keyframe_every: int = 10,
    start: int = 0,
    pixel_format: str = "yuv420p",
    sample_aspect_ratio: Fraction = Fraction(1),
    colour: Colour | None = None,
    x264_params: str = "",
    b_frames: int = 0,
) -> VideoSource:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
    encoder.time_base, encoder.framerate = TICK, fps
    encoder.sample_aspect_ratio = sample_aspect_ratio
    encoder.flags |= Flags.global_header
    encoder.thread_count = 1
    encoder.gop_size = keyframe_every
    encoder.max_b_frames = b_frames
    if colour is not None:
        encoder.color_primaries, encoder.color_trc = colour.primaries, colour.transfer
        encoder.colorspace, encoder.color_range = colour.matrix, 2 if colour.full_range else 1
    params = f"scenecut=0:rc-lookahead=4:{x264_params}".rstrip(":")
    encoder.options = {"preset": "ultrafast", "bf": str(b_frames), "x264-params": params}
    packets = []
    for number in range(frames):
        frame = VideoFrame(width, height, pixel_format)
        scale = 4 if "10" in pixel_format else 1
        for index, plane in enumerate(frame.planes):
            value = (shade(number) if index == 0 else 128) * scale
            sample = value.to_bytes(2, "little") if scale > 1 else bytes([value])
            plane.update(sample * (plane.buffer_size // len(sample)))
        frame.pts, frame.time_base = start + round(number * 90_000 / fps), TICK
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    config = annexb_config(encoder.extradata or b"")
    return VideoSource(replace(config, frame_rate=fps), tuple(_video_unit(packet) for packet in packets))


def _video_unit(packet: "av.Packet[Any]") -> AccessUnit:
    assert packet.pts is not None and packet.dts is not None
    payload = annexb_to_lengths(bytes(packet))
    return AccessUnit(Kind.VIDEO, packet.dts, packet.pts - packet.dts, packet.is_keyframe, payload)


def beep(samples: int, rate: int, at: Sequence[int], length: int = 480) -> list[float]:
    """Silence with bursts of 1 kHz that start abruptly at the given samples."""
    wave = [0.0] * samples
    for first in at:
        for offset in range(min(length, samples - first)):
            wave[first + offset] = 0.8 * math.cos(2 * math.pi * 1000 * offset / rate)
    return wave


def audio(
    wave: Sequence[float],
    *,
    rate: int = 48_000,
    channels: int = 2,
    start: int = 0,
    codec: str = "aac",
) -> AudioSource:
    """``wave``, encoded so that its first sample is presented at ``start``, in ticks of ``rate``."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout = rate, {1: "mono", 2: "stereo"}[channels]
    encoder.format = "fltp"
    encoder.time_base, encoder.bit_rate = Fraction(1, rate), 128_000
    encoder.flags |= Flags.global_header
    encoder.open()
    size = encoder.frame_size
    packets = []
    for first in range(0, len(wave), size):
        chunk = array.array("f", [*wave[first : first + size], *[0.0] * (first + size - len(wave))])
        frame = AudioFrame("fltp", encoder.layout, size)
        for plane in frame.planes:
            plane.update(chunk.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = rate, start + first, Fraction(1, rate)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    units = tuple(AccessUnit(Kind.AUDIO, p.pts, 0, True, bytes(p)) for p in packets if p.pts is not None)
    if codec == "aac":
        return AudioSource(parse_audio_specific_config(encoder.extradata or b""), units)
    return AudioSource(parse_frame_header(units[0].payload), units)


def decoded_video(config: VideoConfig, units: Sequence[AccessUnit]) -> list[VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = config.record
    decoder.thread_count = 1
    frames = []
    for unit in units:
        packet = av.Packet(unit.payload)
        packet.pts, packet.dts, packet.time_base = unit.pts, unit.dts, TICK
        frames += decoder.decode(packet)
    return frames + decoder.decode(None)


def brightness(frame: VideoFrame) -> float:
    """Mean luma of the picture's middle row."""
    plane = frame.planes[0]
    row = bytes(plane)[frame.height // 2 * plane.line_size :][: frame.width]
    return sum(row) / len(row)


def onsets(config: AudioConfig, units: Sequence[AccessUnit], threshold: float = 0.2) -> Iterator[Fraction]:
    """When sound starts after silence, in seconds of presentation time."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = config.record
    quiet = config.sample_rate // 20
    since = quiet
    for unit in units:
        for frame in decoder.decode(av.Packet(unit.payload)):
            for offset, level in enumerate(array.array("f", bytes(frame.planes[0])[: 4 * frame.samples])):
                if abs(level) < threshold:
                    since += 1
                    continue
                if since >= quiet:
                    yield Fraction(unit.pts + offset, config.sample_rate)
                since = 0
