from transcoder.worker.cuts import MAX_PENDING, CutSchedule


def marks(schedule: CutSchedule, times: list[int]) -> list[bool]:
    return [schedule.is_cut(pts) for pts in times]


def test_a_cut_is_at_the_first_frame_at_or_after_its_time() -> None:
    schedule = CutSchedule()
    schedule.add(15)
    assert marks(schedule, [0, 10, 20, 30]) == [False, False, True, False]


def test_a_cut_in_the_past_is_at_the_next_frame() -> None:
    schedule = CutSchedule()
    marks(schedule, [0, 10])
    schedule.add(5)
    assert marks(schedule, [20, 30]) == [True, False]


def test_cuts_without_a_frame_between_them_are_merged() -> None:
    schedule = CutSchedule()
    for pts in (20, 10, 40):
        schedule.add(pts)
    assert marks(schedule, [5, 30, 35, 40]) == [False, True, False, True]


def test_pending_cuts_are_bounded() -> None:
    schedule = CutSchedule()
    for pts in range(10 * MAX_PENDING):
        schedule.add(pts)
    assert len(schedule._pending) == MAX_PENDING
