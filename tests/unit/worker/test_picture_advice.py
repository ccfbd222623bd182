"""A picture that many players cannot show is a warning in words."""

from dataclasses import replace

import pytest

from tests.unit.packager.recording import video_config
from worker.picture_advice import PictureAdvice
from worker.warnings import Warnings


def codes(warnings: Warnings) -> list[str]:
    return [warning.code for warning in warnings.status(0)]


@pytest.mark.parametrize(
    ("chroma_format_idc", "bit_depth", "name"),
    [(2, 8, "4:2:2 with 8 bits"), (3, 8, "4:4:4 with 8 bits"), (1, 10, "4:2:0 with 10 bits")],
)
def test_samples_that_browsers_cannot_decode(chroma_format_idc: int, bit_depth: int, name: str) -> None:
    warnings = Warnings()
    advice = PictureAdvice(warnings)
    video = replace(video_config(), chroma_format_idc=chroma_format_idc, bit_depth=bit_depth)
    advice.review(video, 0, passed=True)
    (warning,) = warnings.status(0)
    assert warning.code == "picture-format"
    assert warning.text.startswith(f"the picture is {name}: it is passed through")
    assert "in OBS: Settings, Advanced, Color Format NV12" in warning.text
    advice.review(video, 0, passed=False)
    (warning,) = warnings.status(0)
    assert "the top rendition is encoded as 4:2:0" in warning.text
    advice.review(video_config(), 0, passed=True)
    assert codes(warnings) == []


def test_interlaced_pictures_that_are_passed_through() -> None:
    warnings = Warnings()
    advice = PictureAdvice(warnings)
    advice.review(replace(video_config(), interlaced=True), 0, passed=True)
    assert codes(warnings) == ["interlaced"]
    advice.review(replace(video_config(), interlaced=True), 0, passed=False)
    assert codes(warnings) == []


def test_monochrome_and_sound_alone_are_no_warning() -> None:
    warnings = Warnings()
    advice = PictureAdvice(warnings)
    advice.review(replace(video_config(), chroma_format_idc=0), 0, passed=True)
    advice.review(None, 0, passed=True)
    assert codes(warnings) == []
