import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.configs import VideoConfig
from media.ladder import MIN_BITRATE, MIN_HEIGHT, Rung
from media.units import Codec
from transcoder.ladder import (
    SOURCE_TRACK,
    default_bitrate,
    frame_divisor,
    plan_ladder,
    sample_aspect_ratio,
)

FPS30 = Fraction(30)
HD = VideoConfig(Codec.H264, b"", "avc1.640028", 1920, 1080, frame_rate=FPS30)


def sized(width: int, height: int, sar: Fraction = Fraction(1)) -> VideoConfig:
    return replace(HD, width=width, height=height, sample_aspect_ratio=sar)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (sized(3840, 2160), [(1920, 1080), (1280, 720), (854, 480), (640, 360)]),
        (sized(1920, 1080), [(1280, 720), (854, 480), (640, 360)]),
        (sized(1280, 720), [(854, 480), (640, 360)]),
        (sized(1080, 1920), [(720, 1280), (480, 854), (360, 640)]),
        (sized(640, 480), [(480, 360)]),
        (sized(1080, 1080), [(720, 720), (480, 480), (360, 360)]),
        (sized(2560, 1080), [(1706, 720), (1138, 480), (854, 360)]),
        (sized(720, 576, Fraction(64, 45)), [(854, 480), (640, 360)]),
        (sized(1440, 1080, Fraction(4, 3)), [(1280, 720), (854, 480), (640, 360)]),
        (sized(640, 360), []),
        (sized(320, 180), []),
    ],
)
def test_auto_adds_smaller_rungs_with_the_same_aspect_ratio(
    source: VideoConfig, expected: list[tuple[int, int]]
) -> None:
    rungs = plan_ladder(source, FPS30, "auto")
    assert [(rung.width, rung.height) for rung in rungs] == expected


def test_tracks_are_named_after_the_short_side() -> None:
    for source in (sized(1920, 1080), sized(1080, 1920)):
        assert [rung.track for rung in plan_ladder(source, FPS30, "auto")] == ["v720p", "v480p", "v360p"]


def test_bitrates_follow_the_table_and_the_frame_rate() -> None:
    assert [rung.bitrate_bps for rung in plan_ladder(HD, FPS30, "auto")] == [2_800_000, 1_400_000, 800_000]
    assert default_bitrate(1080, Fraction(60)) == 7_500_000
    assert default_bitrate(1080, Fraction(50)) == 6_666_666
    assert default_bitrate(1080, Fraction(25)) == default_bitrate(1080, None) == 5_000_000
    assert 1_400_000 < default_bitrate(540, None) < 2_800_000
    assert default_bitrate(90, None) == 150_000
    assert default_bitrate(8000, None) == 16_000_000


@pytest.mark.parametrize(
    ("rate", "divisor"),
    [
        (None, 1),
        (Fraction(24), 1),
        (Fraction(30000, 1001), 1),
        (Fraction(3004, 100), 1),
        (Fraction(50), 2),
        (Fraction(60000, 1001), 2),
        (Fraction(60), 2),
        (Fraction(6004, 100), 2),
        (Fraction(120), 4),
    ],
)
def test_lower_rungs_have_at_most_30_frames_a_second(rate: Fraction | None, divisor: int) -> None:
    assert frame_divisor(rate) == divisor
    assert {rung.frame_divisor for rung in plan_ladder(HD, rate, "auto")} == {divisor}


def test_lower_rungs_of_60_fps_have_the_bitrates_of_30() -> None:
    assert next(rung.bitrate_bps for rung in plan_ladder(HD, Fraction(60), "auto")) == 2_800_000


def test_no_rung_exceeds_the_sources_bitrate_and_bitrates_decrease() -> None:
    bitrates = [rung.bitrate_bps for rung in plan_ladder(HD, FPS30, "auto", source_bitrate_bps=1_500_000)]
    assert bitrates[0] < 1_500_000
    assert bitrates == sorted(set(bitrates), reverse=True)


def test_the_top_can_be_encoded_too() -> None:
    top, *lower = plan_ladder(HD, Fraction(60), "auto", encode_top=True, source_bitrate_bps=6_000_000)
    assert (top.track, top.width, top.height) == (SOURCE_TRACK, 1920, 1080)
    assert (top.frame_divisor, top.bitrate_bps) == (1, 6_000_000)
    assert [rung.track for rung in lower] == ["v720p", "v480p", "v360p"]


def test_source_has_no_encoded_rung() -> None:
    assert plan_ladder(HD, FPS30, "source") == ()
    assert [rung.track for rung in plan_ladder(HD, FPS30, "source", encode_top=True)] == [SOURCE_TRACK]


def test_a_custom_ladder_is_kept_without_rungs_above_the_source() -> None:
    ladder = (Rung(1440, 9_000_000), Rung(1080, 3_000_000), Rung(360, 500_000))
    rungs = plan_ladder(HD, Fraction(60), ladder)
    assert [(r.track, r.bitrate_bps, r.frame_divisor) for r in rungs] == [
        ("v1080p", 3_000_000, 1),
        ("v360p", 500_000, 2),
    ]


def test_the_smallest_rung_that_a_record_may_hold_is_planned() -> None:
    (rendition,) = plan_ladder(HD, FPS30, (Rung(MIN_HEIGHT, MIN_BITRATE),))
    assert (rendition.track, rendition.width, rendition.height) == ("v64p", 114, 64)
    assert rendition.bitrate_bps == MIN_BITRATE


def test_samples_are_square_except_in_an_unscaled_top_rung() -> None:
    wide = sized(720, 576, Fraction(64, 45))
    assert [sample_aspect_ratio(wide, r.width, r.height) for r in plan_ladder(wide, FPS30, "auto")] == [1, 1]
    assert sample_aspect_ratio(wide, 720, 576) == Fraction(64, 45)


@given(
    st.integers(16, 8192),
    st.integers(16, 8192),
    st.fractions(Fraction(1, 4), 4, max_denominator=200),
    st.none() | st.fractions(1, 240, max_denominator=1001),
    st.none() | st.integers(10_000, 100_000_000),
    st.booleans(),
)
def test_every_ladder_is_even_ordered_and_below_the_source(
    width: int, height: int, sar: Fraction, rate: Fraction | None, bitrate: int | None, top: bool
) -> None:
    rungs = plan_ladder(sized(width, height, sar), rate, "auto", encode_top=top, source_bitrate_bps=bitrate)
    for rung in rungs:
        assert rung.width % 2 == rung.height % 2 == 0
        assert rung.width >= 2 and rung.height >= 2
        assert bitrate is None or rung.bitrate_bps <= bitrate
        assert rung.bitrate_bps <= rung.max_bitrate_bps <= rung.buffer_bits
        assert rate is None or rung.track == SOURCE_TRACK or rate / rung.frame_divisor < HALVE
    for above, below in itertools.pairwise(rungs):
        assert min(below.width, below.height) < min(width * sar, Fraction(height))
        assert below.bitrate_bps <= above.bitrate_bps


HALVE = 45
