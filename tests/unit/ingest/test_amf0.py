"""Encoding and decoding AMF0 values, and malformed or hostile input."""

import math
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtmp.amf0 import UNDEFINED, Date, EcmaArray, TypedObject, Value, XmlDocument, decode, encode
from ingest.rtmp.errors import AmfLimit, MalformedAmf, RtmpError
from ingest.rtmp.limits import Limits

WIRE: list[tuple[Value, str]] = [
    (1.5, "003ff8000000000000"),
    (True, "0101"),
    (False, "0100"),
    ("live", "0200046c697665"),
    ("", "020000"),
    (None, "05"),
    (UNDEFINED, "06"),
    ({}, "03000009"),
    ({"a": 1.0}, "03000161003ff0000000000000000009"),
    (EcmaArray(a=True), "08000000010001610101000009"),
    ([None, "x"], "0a000000020502000178"),
    (Date(0.0), "0b00000000000000000000"),
    (Date(1000.0, -60), "0b408f400000000000ffc4"),
    (XmlDocument("<a/>"), "0f000000043c612f3e"),
    (TypedObject("C", {"b": None}), "10000143000162" + "05" + "000009"),
]


@pytest.mark.parametrize(("value", "wire"), WIRE)
def test_values_on_the_wire(value: Value, wire: str) -> None:
    assert encode(value) == bytes.fromhex(wire)
    (decoded,) = decode(bytes.fromhex(wire))
    assert decoded == value
    assert type(decoded) is type(value)


def test_long_string_has_a_32_bit_length() -> None:
    text = "x" * 65536
    wire = encode(text)
    assert wire[:5] == bytes.fromhex("0c00010000")
    assert decode(wire) == [text]


def test_unsupported_decodes_as_undefined() -> None:
    assert decode(b"\x0d") == [UNDEFINED]


def test_wrong_count_of_an_ecma_array_is_ignored() -> None:
    assert decode(bytes.fromhex("08ffffffff0001610101000009")) == [{"a": True}]


def test_invalid_utf8_is_replaced() -> None:
    assert decode(bytes.fromhex("020002ff41")) == ["\ufffdA"]


def test_reference_decodes_to_the_referenced_value() -> None:
    first, second = decode(bytes.fromhex("03000161050000090700" + "00"))
    assert first == {"a": None}
    assert second is first


@pytest.mark.parametrize(
    "wire", ["070000", "0300016107000000" + "0009"], ids=["unknown index", "reference to itself"]
)
def test_reference_to_an_incomplete_value_is_rejected(wire: str) -> None:
    with pytest.raises(MalformedAmf):
        decode(bytes.fromhex(wire))


@pytest.mark.parametrize("marker", [0x04, 0x0E, 0x09, 0x11, 0xFF])
def test_reserved_markers_are_rejected(marker: int) -> None:
    with pytest.raises(MalformedAmf):
        decode(bytes((marker,)))


@pytest.mark.parametrize(("value", "wire"), WIRE)
def test_truncated_values_are_rejected(value: Value, wire: str) -> None:
    data = bytes.fromhex(wire)
    for end in range(1, len(data)):
        with pytest.raises(MalformedAmf):
            decode(data[:end])


def test_depth_has_a_limit() -> None:
    deep = bytes.fromhex("0a00000001")
    assert decode(deep * 16 + b"\x05")
    with pytest.raises(AmfLimit):
        decode(deep * 17 + b"\x05")


def test_count_is_limited_before_allocation() -> None:
    with pytest.raises(AmfLimit):
        decode(bytes.fromhex("0affffffff"))
    with pytest.raises(AmfLimit):
        decode(b"\x05" * 5, Limits(max_amf_values=4))


def test_long_string_longer_than_the_data_is_rejected() -> None:
    with pytest.raises(MalformedAmf):
        decode(pack(">BI", 0x0C, 0xFFFFFFFF))


scalars = (
    st.floats(allow_nan=False) | st.booleans() | st.text(max_size=20) | st.none() | st.just(UNDEFINED)
    | st.builds(Date, st.floats(allow_nan=False), st.integers(-32768, 32767)) | st.builds(XmlDocument, st.text())
)  # fmt: skip
names = st.text(min_size=1, max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(names, inner, max_size=4)
        | st.dictionaries(names, inner, max_size=4).map(EcmaArray)
        | st.builds(TypedObject, names, st.dictionaries(names, inner, max_size=4))
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.lists(values, max_size=4))
def test_round_trip(sent: list[Value]) -> None:
    assert decode(encode(*sent)) == sent


def test_nan_round_trips() -> None:
    (value,) = decode(encode(math.nan))
    assert isinstance(value, float)
    assert math.isnan(value)


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_noise_raises_only_declared_errors(data: bytes) -> None:
    try:
        decode(data)
    except RtmpError as error:
        assert type(error) in (MalformedAmf, AmfLimit)
