"""How far a child is behind the source."""

from media.units import VIDEO_TIMESCALE as S
from transcoder.backlog import LONGEST_STEP, Backlog

FRAME = S // 30


def offer(backlog: Backlog, first: int, count: int, *, accepted: bool = True) -> None:
    for number in range(first, first + count):
        backlog.offer(number * FRAME, accepted=accepted)


def test_a_child_that_has_taken_everything_is_not_behind() -> None:
    backlog = Backlog()
    offer(backlog, 0, 90)
    assert backlog.behind == backlog.pending == 89 * FRAME
    backlog.take(60)
    assert backlog.behind == 30 * FRAME
    backlog.take(90)
    assert backlog.behind == backlog.pending == 0


def test_refused_units_are_behind_but_do_not_wait() -> None:
    backlog = Backlog()
    offer(backlog, 0, 30)
    offer(backlog, 30, 30, accepted=False)
    assert (backlog.behind, backlog.pending) == (59 * FRAME, 29 * FRAME)
    backlog.take(30)
    assert (backlog.behind, backlog.pending) == (30 * FRAME, 0)
    offer(backlog, 60, 1)
    backlog.take(31)
    assert backlog.behind == 0


def test_a_hole_in_the_source_is_no_work() -> None:
    backlog = Backlog()
    offer(backlog, 0, 2)
    backlog.offer(20 * S, accepted=True)
    assert backlog.pending == FRAME + LONGEST_STEP


def test_units_before_the_first_cut_are_no_media_time() -> None:
    backlog = Backlog()
    for _ in range(300):
        backlog.preroll()
    offer(backlog, 0, 31)
    assert backlog.pending == S
    backlog.take(300)
    assert backlog.pending == S
    backlog.take(331)
    assert backlog.behind == 0
