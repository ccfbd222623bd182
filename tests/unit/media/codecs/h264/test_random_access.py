import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.h264.random_access import is_random_access_point
from tests.unit.ingest.samples import IDR, NON_IDR, SEI_LATE_RECOVERY, SEI_RECOVERY_POINT, nal_units

LONG_USER_DATA = b"\x06\x05\xff\x01" + bytes(256)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([IDR], True),
        ([b"\x09\xf0", b"\x67x", b"\x68x", IDR], True),
        ([NON_IDR], False),
        ([SEI_RECOVERY_POINT, NON_IDR], True),
        ([SEI_LATE_RECOVERY, NON_IDR], False),
        ([LONG_USER_DATA + SEI_RECOVERY_POINT[1:], NON_IDR], True),
        ([LONG_USER_DATA + b"\x80", NON_IDR], False),
        ([b"\x06\xff", b"\x06\x06\x00\x80", b"\x06\x05\xff\xff", NON_IDR], False),
    ],
)
def test_random_access_points_are_recognised(units: list[bytes], expected: bool) -> None:
    assert is_random_access_point(nal_units(*units)) is expected


@settings(max_examples=100)
@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=4))
def test_any_sei_can_be_parsed(units: list[bytes]) -> None:
    assert is_random_access_point(nal_units(*(b"\x06" + unit for unit in units))) in (True, False)
