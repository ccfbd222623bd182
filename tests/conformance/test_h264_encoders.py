"""The parameter sets of libx264 parse to the settings that the encoder was given."""

from fractions import Fraction

import pytest

from media.codecs.h264.configuration import parse_avc_config
from media.codecs.h264.random_access import is_random_access_point
from media.codecs.h264.sps import parse_sps
from media.configs import Colour
from tests.conformance.encoders import VideoSettings, encode_video

# FFmpeg uses the code points of ISO/IEC 23091-2. Its range 2 is full range.
CASES = {
    "plain": VideoSettings(),
    "odd size": VideoSettings(width=322, height=182),
    "portrait": VideoSettings(width=180, height=320),
    "1080": VideoSettings(width=1920, height=1080),
    "ntsc rate": VideoSettings(frame_rate=Fraction(30000, 1001)),
    "pal anamorphic": VideoSettings(width=720, height=576, sample_aspect_ratio=Fraction(64, 45)),
    "sar of the table": VideoSettings(sample_aspect_ratio=Fraction(4, 3)),
    "hdr colours": VideoSettings(colour=(9, 16, 9, 1)),
    "full range": VideoSettings(pixel_format="yuvj420p", colour=(1, 1, 1, 2)),
    "baseline": VideoSettings(options={"profile": "baseline"}),
    "main": VideoSettings(options={"profile": "main"}),
    "scaling lists": VideoSettings(options={"x264-params": "cqm=jvt:8x8dct=1"}),
    "interlaced": VideoSettings(width=720, height=576, options={"x264-params": "tff=1"}),
    "ten bits": VideoSettings(pixel_format="yuv420p10le"),
    "4:2:2": VideoSettings(pixel_format="yuv422p", width=322, height=182),
    "4:4:4": VideoSettings(pixel_format="yuv444p", width=321, height=181),
    "grey": VideoSettings(pixel_format="gray"),
}
CHROMA = {"yuv422p": 2, "yuv444p": 3, "gray": 0}


@pytest.mark.parametrize("name", CASES)
def test_parameter_sets_parse_to_the_encoders_settings(name: str) -> None:
    settings = CASES[name]
    config, units = encode_video(settings, 1)
    assert (config.width, config.height) == (settings.width, settings.height)
    assert config.sample_aspect_ratio == settings.sample_aspect_ratio
    assert config.frame_rate == settings.frame_rate
    if settings.colour:
        primaries, transfer, matrix, colour_range = settings.colour
        assert config.colour == Colour(primaries, transfer, matrix, full_range=colour_range == 2)
    assert config.interlaced is (name == "interlaced")
    assert parse_avc_config(config.record) == config
    assert is_random_access_point(units[0].payload)

    sps = parse_sps(config.record[8 : 8 + int.from_bytes(config.record[6:8], "big")])
    assert sps.chroma_format_idc == CHROMA.get(settings.pixel_format, 1)
    assert sps.bit_depth_luma == (10 if settings.pixel_format.endswith("10le") else 8)
