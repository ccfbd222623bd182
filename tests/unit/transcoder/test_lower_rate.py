"""Renditions with a lower frame rate have at most about 30 frames a second."""

from collections.abc import Sequence

import pytest

from media.units import VIDEO_TIMESCALE
from transcoder.worker.lower_rate import LowerRate


def kept(times_ms: Sequence[float]) -> Sequence[float]:
    rate = LowerRate()
    return [at for at in times_ms if rate.takes(round(at * VIDEO_TIMESCALE / 1000), cut=False)]


@pytest.mark.parametrize(("fps", "every"), [(48, 2), (50, 2), (60, 2), (90, 3), (120, 4), (240, 8)])
def test_a_steady_source(fps: int, every: int) -> None:
    times = [round(place * 1000 / fps) for place in range(240)]
    assert kept(times) == times[::every]


def test_a_source_that_is_slower_than_its_first_frames_keeps_all() -> None:
    times = [0.0, 7.0, 14.0, *range(40, 2000, 40)]
    assert kept(times) == [0.0, *range(40, 2000, 40)]


def test_a_cut_is_always_taken() -> None:
    rate = LowerRate()
    assert [rate.takes(pts, cut=cut) for pts, cut in ((0, True), (90, False), (180, True), (2800, False))] == [
        True,
        False,
        True,
        False,
    ]
