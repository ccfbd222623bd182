"""A message after a step in the timestamps waits for the next one, which shows if its own is wrong."""

from itertools import chain

import pytest

from ingest.step_hold import StepHold
from ingest.track_clock import WRAP

FRAME_MS = 33


def pass_on(*timestamps: int) -> list[int]:
    steps = StepHold()
    return [placed for timestamp in timestamps for placed in add(steps, timestamp)]


def add(steps: StepHold, timestamp: int) -> list[int]:
    if steps.passes(timestamp):
        return [timestamp]
    return [placed for placed, _ in steps.add(timestamp, b"")]


@pytest.mark.parametrize("ahead", [600, 4_000, 60_000, 1 << 30])
@pytest.mark.parametrize("start", [0, 5_000, WRAP - 100])
def test_a_single_timestamp_that_is_ahead_is_corrected(ahead: int, start: int) -> None:
    good = [(start + index * FRAME_MS) % WRAP for index in range(20)]
    sent = [*good[:10], (good[10] + ahead) % WRAP, *good[11:]]
    placed = pass_on(*sent)
    assert placed[:10] + placed[11:] == good[:10] + good[11:]
    assert (placed[10] - good[9]) % WRAP == FRAME_MS


def test_a_hole_in_the_media_stays() -> None:
    sent = [*range(0, 300, FRAME_MS), *range(4_000, 4_300, FRAME_MS)]
    assert pass_on(*sent) == sent


def test_a_track_of_large_intervals_does_not_wait() -> None:
    steps = StepHold()
    slides = range(0, 20_000, 2_000)
    assert list(chain.from_iterable(add(steps, timestamp) for timestamp in slides)) == list(slides)
    assert steps.held is None


def test_only_the_message_after_a_step_waits() -> None:
    steps = StepHold()
    assert [add(steps, timestamp) for timestamp in (0, 33, 4_000, 4_033)] == [[0], [33], [], [4_000, 4_033]]


def test_it_waits_until_the_other_track_has_reached_it() -> None:
    steps = StepHold()
    for timestamp in (0, 33, 4_000):
        add(steps, timestamp)
    assert steps.release_before(3_999) == ()
    assert steps.release_before(4_000) == ((4_000, b""),)
    assert steps.release() == ()
