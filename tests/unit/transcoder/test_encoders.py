"""Every option given to an encoder exists: FFmpeg silently ignores unknown options."""

from dataclasses import replace
from fractions import Fraction

import av
import pytest
from av.codec.context import OptionType

from media.configs import VideoConfig
from media.units import Codec
from tests.unit.transcoder.running import rung
from transcoder.options import Encoder, LatencyMode, Preset, TranscodeOptions
from transcoder.worker.encoders import ENCODER_OPTIONS, PictureShape, open_encoder, shape_of, threads_per_rung
from transcoder.worker.times import VIDEO_TIME_BASE

NUMBERS = {OptionType.INT, OptionType.INT64, OptionType.BOOL, OptionType.UINT}
SOURCE = VideoConfig(Codec.H264, b"", "avc1.640028", 1280, 720, frame_rate=Fraction(60))


@pytest.mark.parametrize("encoder", Encoder)
@pytest.mark.parametrize("latency", LatencyMode)
def test_every_option_exists_and_accepts_its_value(encoder: Encoder, latency: LatencyMode) -> None:
    try:
        supported = av.CodecContext.create(encoder.value, "w").supported_options
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"PyAV is built without {encoder}")
    options = {option.name: option for option in (*supported.generic, *supported.private)}
    for preset in Preset:
        given = ENCODER_OPTIONS[encoder](TranscodeOptions(encoder=encoder, preset=preset, latency=latency))
        for name, value in given.items():
            option = options[name]
            choices = {choice.name for choice in option.choices}
            if option.type in NUMBERS and value not in choices:
                assert option.min <= int(value) <= option.max, name


@pytest.mark.parametrize("latency", LatencyMode)
def test_libx264_uses_every_option(latency: LatencyMode) -> None:
    shape = PictureShape(Fraction(30), Fraction(1), None)
    context = open_encoder(rung("v", 128, 96), shape, TranscodeOptions(latency=latency), 1)
    assert context.options == {}


@pytest.mark.parametrize(
    ("preset", "search"), [(Preset.VERYFAST, b"me=dia subme=1"), (Preset.FASTER, b"me=hex subme=4")]
)
def test_motion_search_differs_from_the_preset_only_for_veryfast(preset: Preset, search: bytes) -> None:
    shape = PictureShape(Fraction(30), Fraction(1), None)
    context = open_encoder(rung("v", 128, 96), shape, TranscodeOptions(preset=preset), 1)
    frame = av.VideoFrame(128, 96, "yuv420p")
    frame.pts, frame.time_base = 0, VIDEO_TIME_BASE
    # x264's first unit contains its settings.
    assert search in b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def test_the_frame_rate_is_the_sources_divided_by_the_divisor() -> None:
    assert shape_of(SOURCE, rung("v", 640, 360, divisor=2)).frame_rate == 30
    assert shape_of(replace(SOURCE, frame_rate=None), rung("v", 640, 360)).frame_rate == 30
    odd = Fraction(60_000_000_007, 1_001_000_000)
    assert shape_of(replace(SOURCE, frame_rate=odd), rung("v", 640, 360)).frame_rate == Fraction(60_000, 1001)
    assert shape_of(replace(SOURCE, frame_rate=Fraction(90_000)), rung("v", 640, 360)).frame_rate == 300


def test_threads_are_the_operators_or_a_share_of_the_processors() -> None:
    assert threads_per_rung(TranscodeOptions(threads=5), 3) == 5
    assert threads_per_rung(TranscodeOptions(), 1000) == 1
