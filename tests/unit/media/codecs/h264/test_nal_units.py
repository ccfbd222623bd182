import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.h264.nal_units import annexb_nal_units, annexb_to_lengths, nal_units, relength
from media.codecs.h264.random_access import is_random_access_point
from media.errors import MalformedConfig, MediaError

SPS = b"\x67\x64\x00\x1f"
PPS = b"\x68\xee\x3c\xb0"
IDR = b"\x65\x88\x84"
SEI = b"\x06\x05\x01\x80"


def lengths(size: int, *units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(size, "big") + unit for unit in units)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_relength_converts_the_length_size(size: int) -> None:
    assert relength(lengths(size, SEI, IDR), size) == lengths(4, SEI, IDR)


def test_relength_returns_a_correct_payload_unchanged() -> None:
    payload = lengths(4, SEI, IDR)
    assert relength(payload, 4) is payload
    assert relength(b"", 4) == b""


@pytest.mark.parametrize("units", [(b"", IDR), (SEI, b"", IDR), (IDR, b"")])
def test_empty_nal_units_are_removed(units: tuple[bytes, ...]) -> None:
    assert relength(lengths(4, *units), 4) == lengths(4, *filter(None, units))


@pytest.mark.parametrize("bad", [b"\0\0", b"\0\0\0\x04abc", lengths(4, SEI) + b"\0", b"\xff\xff\xff\xffab"])
def test_lengths_that_do_not_add_up_are_refused(bad: bytes) -> None:
    with pytest.raises(MalformedConfig):
        relength(bad, 4)
    with pytest.raises(MalformedConfig):
        list(nal_units(bad))


def test_annex_b_is_parsed_with_either_start_code() -> None:
    data = b"\0\0\0\1" + SPS + b"\0\0\1" + PPS + b"\0\0\0\0\1" + IDR + b"\0\0"
    assert annexb_nal_units(data) == [SPS, PPS, IDR]
    assert annexb_to_lengths(data) == lengths(4, SPS, PPS, IDR)
    assert annexb_nal_units(b"") == []


def test_annex_b_without_a_leading_start_code_is_refused() -> None:
    with pytest.raises(MalformedConfig, match="start code"):
        annexb_nal_units(IDR + b"\0\0\1" + IDR)


UNITS = st.lists(
    st.binary(min_size=1, max_size=30).map(lambda unit: b"\x41" + unit.replace(b"\0", b"\1")), max_size=6
)


@settings(max_examples=60)
@given(UNITS)
def test_annex_b_and_lengths_give_the_same_nal_units(units: list[bytes]) -> None:
    payload = lengths(4, *units)
    assert annexb_to_lengths(b"".join(b"\0\0\1" + unit for unit in units)) == payload
    assert list(nal_units(payload)) == units


@settings(max_examples=100)
@given(st.binary(max_size=60), st.sampled_from([1, 2, 4]))
def test_payloads_raise_only_declared_errors(noise: bytes, size: int) -> None:
    try:
        payload = relength(noise, size)
    except MediaError:
        return
    assert relength(payload, 4) is payload
    is_random_access_point(payload)
