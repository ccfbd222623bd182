import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.h264.messages import message_reader, read_message
from media.codecs.h264.nal_units import annexb_nal_units, annexb_to_lengths, nal_units
from media.codecs.h264.random_access import is_random_access_point
from media.errors import MalformedConfig, MediaError
from tests.unit.ingest.samples import AVC_RECORD

SPS = b"\x67\x64\x00\x1f"
PPS = b"\x68\xee\x3c\xb0"
IDR = b"\x65\x88\x84"
SEI = b"\x06\x05\x01\x80"


def lengths(size: int, *units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(size, "big") + unit for unit in units)


def payload_of(data: bytes, size: int = 4) -> bytes:
    """The payload of a message with NAL lengths of ``size`` bytes."""
    return message_reader(AVC_RECORD[:4] + bytes((0xFC | size - 1,)) + AVC_RECORD[5:])(data)[0]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_nal_lengths_become_four_bytes(size: int) -> None:
    assert payload_of(lengths(size, SEI, IDR), size) == lengths(4, SEI, IDR)


def test_correct_payload_is_not_copied() -> None:
    payload = lengths(4, SEI, IDR)
    assert payload_of(payload) is payload
    assert payload_of(b"") == b""


@pytest.mark.parametrize("units", [(b"", IDR), (SEI, b"", IDR), (IDR, b"")])
def test_empty_nal_units_are_removed(units: tuple[bytes, ...]) -> None:
    assert payload_of(lengths(4, *units)) == lengths(4, *filter(None, units))


@pytest.mark.parametrize("bad", [b"\0\0", b"\0\0\0\x04abc", lengths(4, SEI) + b"\0", b"\xff\xff\xff\xffab"])
def test_lengths_that_do_not_add_up_are_refused(bad: bytes) -> None:
    with pytest.raises(MalformedConfig):
        read_message(bad)
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
        payload = payload_of(noise, size)
    except MediaError:
        return
    assert payload_of(payload) is payload
    is_random_access_point(payload)
