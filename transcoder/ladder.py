"""The renditions of a source: their sizes, frame rates and bitrates.

Pure functions. Sizes have square samples. A rendition is named after its short side: ``v720p`` is 1280x720, or
720x1280 for a portrait source.
"""

from dataclasses import dataclass
from fractions import Fraction

from media.configs import VideoConfig
from media.ladder import Ladder, Rung

SOURCE_TRACK = "vsource"
AUTO_HEIGHTS = (1080, 720, 480, 360)

# Average bitrate of H.264 at up to 30 fps by short side: the middle of what Apple's HLS authoring specification
# and YouTube's live encoder settings recommend.
BITRATES = (
    (144, 150_000),
    (240, 400_000),
    (360, 800_000),
    (480, 1_400_000),
    (720, 2_800_000),
    (1080, 5_000_000),
    (1440, 9_000_000),
    (2160, 16_000_000),
)
MIN_AUTO_BITRATE = 100_000

# The highest bitrate of an automatic rendition relative to the one above it, even if the source's bitrate is low.
STEP_DOWN = Fraction(7, 10)
PEAK = Fraction(6, 5)
BUFFER_SECONDS = Fraction(3, 2)

HALVE_FROM_FPS = 45
MAX_LOWER_FPS = Fraction(61, 2)
# Of a source that declares no frame rate.
USUAL_FRAME_RATE = Fraction(30)


@dataclass(frozen=True, slots=True)
class Rendition:
    """A video track to encode. Sizes are luma samples and even.

    Its frame rate is the source's divided by ``frame_divisor``. If that is more than 1, it has about 30 frames per
    second at most, whatever rate the source declares.
    ``max_bitrate_bps`` and ``buffer_bits`` are the rate and size of the video buffering verifier (VBV).
    """

    track: str
    width: int
    height: int
    frame_divisor: int
    bitrate_bps: int
    max_bitrate_bps: int
    buffer_bits: int


def plan_ladder(
    source: VideoConfig,
    frame_rate: Fraction | None,
    ladder: Ladder,
    *,
    encode_top: bool = False,
    source_bitrate_bps: int | None = None,
) -> tuple[Rendition, ...]:
    """The renditions to encode of ``source``, largest first; empty if the source alone suffices.

    ``encode_top`` adds ``vsource`` at the source's own size, for a source that cannot be passed through.
    ``source_bitrate_bps`` is the measured bitrate of the source: no rendition exceeds it. Rungs that are larger
    than the source are left out.
    """
    renditions = []
    ceiling = source_bitrate_bps
    if encode_top:
        bitrate = _capped(default_bitrate(min(_display_size(source)), frame_rate), ceiling)
        width, height = source.width - source.width % 2, source.height - source.height % 2
        renditions.append(_rendition(SOURCE_TRACK, (width, height), 1, bitrate))
        ceiling = bitrate
    for rung in _rungs(source, frame_rate, ladder):
        divisor = frame_divisor(frame_rate) if rung.height < min(_display_size(source)) else 1
        limit = None if ceiling is None or ladder != "auto" else max(MIN_AUTO_BITRATE, int(ceiling * STEP_DOWN))
        bitrate = _capped(_capped(rung.bitrate, limit), source_bitrate_bps)
        renditions.append(_rendition(f"v{rung.height}p", _scaled_size(source, rung.height), divisor, bitrate))
        ceiling = bitrate
    return tuple(renditions)


def frame_divisor(frame_rate: Fraction | None) -> int:
    """The number of source frames for each frame of a lower rendition, which has at most 30 frames per second."""
    if frame_rate is None or frame_rate < HALVE_FROM_FPS:
        return 1
    return -int(-frame_rate // MAX_LOWER_FPS)


def default_bitrate(height: int | Fraction, frame_rate: Fraction | None) -> int:
    """Average bits per second for a picture whose short side is ``height``; 1.5 times as many at 60 frames per
    second."""
    bitrate = Fraction(_interpolated(height))
    if frame_rate is not None and frame_rate > 30:
        bitrate *= 1 + min(frame_rate - 30, Fraction(30)) / 60
    return int(bitrate)


def pixel_rate(rung: Rendition, frame_rate: Fraction | None) -> int:
    """The luma samples per second of ``rung`` at its source's ``frame_rate``: roughly what encoding it costs."""
    return int(rung.width * rung.height * (frame_rate or USUAL_FRAME_RATE) / rung.frame_divisor)


def sample_aspect_ratio(source: VideoConfig, width: int, height: int) -> Fraction:
    """The sample aspect ratio of ``source`` scaled to ``width`` x ``height``; 1 if only rounding changed it."""
    display_aspect = Fraction(source.width, source.height) * source.sample_aspect_ratio
    ratio = display_aspect / Fraction(width, height)
    return Fraction(1) if abs(ratio - 1) < Fraction(1, 100) else ratio.limit_denominator(65_535)


def _rungs(source: VideoConfig, frame_rate: Fraction | None, ladder: Ladder) -> tuple[Rung, ...]:
    if ladder == "source":
        return ()
    short_side = min(_display_size(source))
    if ladder == "auto":
        lower_rate = None if frame_rate is None else frame_rate / frame_divisor(frame_rate)
        return tuple(
            Rung(height, default_bitrate(height, lower_rate)) for height in AUTO_HEIGHTS if height < short_side
        )
    return tuple(rung for rung in ladder if rung.height <= short_side)


def _rendition(track: str, size: tuple[int, int], divisor: int, bitrate: int) -> Rendition:
    width, height = size
    return Rendition(
        track=track,
        width=width,
        height=height,
        frame_divisor=divisor,
        bitrate_bps=bitrate,
        max_bitrate_bps=int(bitrate * PEAK),
        buffer_bits=int(bitrate * BUFFER_SECONDS),
    )


def _capped(bitrate: int, limit: int | None) -> int:
    return bitrate if limit is None else max(min(bitrate, limit), 1_000)


def _display_size(source: VideoConfig) -> tuple[Fraction, Fraction]:
    return source.width * source.sample_aspect_ratio, Fraction(source.height)


def _scaled_size(source: VideoConfig, short_side: int) -> tuple[int, int]:
    width, height = _display_size(source)
    if width < height:
        return short_side, _even(short_side * height / width)
    return _even(short_side * width / height), short_side


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))


def _interpolated(height: int | Fraction) -> int:
    below = BITRATES[0]
    for above in BITRATES:
        if height <= above[0]:
            break
        below = above
    if above[0] == below[0]:
        return above[1]
    return below[1] + int((above[1] - below[1]) * Fraction(height - below[0], above[0] - below[0]))
