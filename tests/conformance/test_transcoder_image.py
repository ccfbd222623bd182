"""An operator's image, decoded and encoded by a real child process."""

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import pytest

from media.configs import VideoConfig
from media.units import AccessUnit
from transcoder.errors import ImageUnusable
from transcoder.image import MAX_BYTES, image_keyframe, read_image
from transcoder.limits import WorkerLimits
from transcoder.worker.decoders import open_video_decoder

LIMITS = WorkerLimits(2**31)
WHITE, BLACK = 235, 16


def white(path: Path, codec: str, width: int, height: int) -> Path:
    """An image file, all white."""
    pixel_format = "rgb24" if codec == "png" else "yuvj444p"
    frame = av.VideoFrame(width, height, pixel_format)
    for number, plane in enumerate(frame.planes):
        plane.update(bytes([255 if codec == "png" or number == 0 else 128]) * plane.buffer_size)
    frame.pts = 0
    encoder = cast(av.VideoCodecContext, av.CodecContext.create(codec, "w"))
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
    encoder.time_base = Fraction(1, 25)
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))
    return path


def decoded(config: VideoConfig, unit: AccessUnit) -> av.VideoFrame:
    decoder = open_video_decoder(config)
    return [*decoder.decode(av.Packet(unit.payload)), *decoder.decode(None)][0]


def brightness(frame: av.VideoFrame, x: int, y: int) -> int:
    plane = frame.planes[0]
    return memoryview(plane)[y * plane.line_size + x]


@pytest.mark.parametrize("codec", ["png", "mjpeg"])
@pytest.mark.parametrize(
    ("size", "target", "aspect", "bar", "inside"),
    [
        ((400, 400), (640, 360), Fraction(1), (70, 180), (150, 180)),
        ((800, 200), (640, 360), Fraction(1), (320, 90), (320, 110)),
        ((640, 360), (720, 576), Fraction(64, 45), None, (4, 4)),
    ],
)
def test_an_image_fits_into_the_picture(
    tmp_path: Path,
    codec: str,
    size: tuple[int, int],
    target: tuple[int, int],
    aspect: Fraction,
    bar: tuple[int, int] | None,
    inside: tuple[int, int],
) -> None:
    image = read_image(white(tmp_path / "slate", codec, *size), LIMITS)
    config, unit = image_keyframe(image, *target, aspect, LIMITS)
    assert (config.width, config.height, config.sample_aspect_ratio) == (*target, aspect)
    assert unit.key
    frame = decoded(config, unit)
    assert brightness(frame, *inside) == pytest.approx(WHITE, abs=4)
    if bar is not None:
        assert brightness(frame, *bar) == pytest.approx(BLACK, abs=4)


def test_an_unusable_image_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "slate.png"
    with pytest.raises(ImageUnusable, match=r"slate\.png cannot be read: No such file"):
        read_image(path, LIMITS)
    path.write_bytes(b"GIF89a")
    with pytest.raises(ImageUnusable, match=r"slate\.png cannot be used: it is neither a PNG nor a JPEG"):
        read_image(path, LIMITS)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(ImageUnusable, match="cannot be decoded"):
        read_image(path, LIMITS)
    path.write_bytes(bytes(MAX_BYTES + 1))
    with pytest.raises(ImageUnusable, match="larger than 32 MiB"):
        read_image(path, LIMITS)
    large = white(path, "png", 400, 400)
    with pytest.raises(ImageUnusable):
        read_image(large, WorkerLimits(2**31, 320 * 320))
