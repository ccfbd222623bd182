"""A single picture that would be presented seconds after its neighbours gets the usual offset."""

import pytest

from ingest.offset_guard import MANY, OffsetGuard


def used(*offsets: int) -> list[int]:
    guard, given = OffsetGuard(), []
    for offset in offsets:
        if guard.least_ms <= offset <= guard.limit_ms:
            guard.far = 0
            given.append(offset)
        else:
            given.append(guard.check(offset))
    return given


def test_reordered_pictures_keep_their_offsets() -> None:
    offsets = [80, 160, 0, 40, 120, 1000, 0]
    assert used(*offsets) == offsets


@pytest.mark.parametrize("wild", [1081, 3000, 9999])
def test_single_wild_offsets_are_replaced(wild: int) -> None:
    assert used(*[80, 80, 80, wild] * 20) == [80] * 80


def test_a_first_picture_with_a_wild_offset_does_not_decide() -> None:
    assert used(3000, 80, 80, 3000) == [3000, 80, 80, 80]


def test_offsets_that_stay_are_the_new_usual_ones() -> None:
    assert used(0, *[3000] * 20) == [0, *[0] * (MANY - 1), *[3000] * (21 - MANY)]
