"""The chunks of a segment, found in its bytes."""

import pytest

from media.units import Kind
from packager.cmaf.chunks import chunk
from packager.cmaf.fragment import ProducerReference, Sample, fragment
from packager.errors import MalformedBox

PARTS = [
    fragment(
        number,
        3000 * number,
        [Sample(3000, 0, number == 0, bytes([number]) * (number + 1))],
        kind=Kind.VIDEO,
        producer_reference=ProducerReference(unix_ns=1, media_time=0) if number == 0 else None,
        first_of_segment=number == 0,
    )
    for number in range(4)
]
SEGMENT = b"".join(PARTS)


@pytest.mark.parametrize("index", range(4))
def test_each_part_is_a_chunk_of_the_segment(index: int) -> None:
    assert chunk(SEGMENT, index) == PARTS[index]


@pytest.mark.parametrize("index", [4, 5, 10**12])
def test_a_segment_has_only_its_own_chunks(index: int) -> None:
    assert chunk(SEGMENT, index) is None


def test_a_damaged_segment_has_no_chunks() -> None:
    with pytest.raises(MalformedBox):
        chunk(SEGMENT[:-1], 3)
