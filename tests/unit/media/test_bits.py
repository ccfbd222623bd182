import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.bits import BitReader, BitWriter, remove_emulation_prevention
from media.errors import MalformedConfig
from tests.unit.media.codecs.h264.sps_builder import add_emulation_prevention

FIELDS = st.lists(
    st.integers(0, 40).flatmap(lambda count: st.tuples(st.integers(0, (1 << count) - 1), st.just(count)))
)


@settings(max_examples=60)
@given(FIELDS)
def test_written_fields_are_read_back(fields: list[tuple[int, int]]) -> None:
    writer = BitWriter()
    for value, count in fields:
        writer.write(value, count)
    reader = BitReader(writer.to_bytes())
    assert [reader.read(count) for _, count in fields] == [value for value, _ in fields]
    assert reader.remaining < 8


@settings(max_examples=60)
@given(st.lists(st.integers(-(1 << 30), 1 << 30)))
def test_exp_golomb_round_trip(values: list[int]) -> None:
    writer = BitWriter()
    for value in values:
        writer.se(value)
        writer.ue(abs(value))
    reader = BitReader(writer.to_bytes())
    for value in values:
        assert (reader.se(), reader.ue()) == (value, abs(value))


@pytest.mark.parametrize(
    ("bits", "unsigned", "signed"),
    [("1", 0, 0), ("010", 1, 1), ("011", 2, -1), ("00100", 3, 2), ("00101", 4, -2), ("0001000", 7, 4)],
)
def test_exp_golomb_codes_of_the_specification(bits: str, unsigned: int, signed: int) -> None:
    data = int(bits.ljust(8, "0"), 2).to_bytes(1, "big")
    assert BitReader(data).ue() == unsigned
    assert BitReader(data).se() == signed


def test_reading_past_the_end_is_an_error() -> None:
    reader = BitReader(b"\xff")
    assert reader.read(7) == 127
    with pytest.raises(MalformedConfig):
        reader.read(2)
    with pytest.raises(MalformedConfig):
        reader.skip(2)
    assert reader.remaining == 1
    assert reader.flag()
    with pytest.raises(MalformedConfig):
        reader.flag()


def test_an_endless_exp_golomb_code_is_refused() -> None:
    with pytest.raises(MalformedConfig, match="longer than 63 bits"):
        BitReader(bytes(1000)).ue()


def test_align_advances_to_the_next_byte_boundary() -> None:
    reader = BitReader(b"\x80\x55")
    reader.skip(1)
    reader.align()
    reader.align()
    assert reader.read(8) == 0x55


def test_writing_a_value_too_large_for_its_field_is_an_error() -> None:
    with pytest.raises(ValueError, match="4 bits"):
        BitWriter().write(16, 4)


@given(st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4]), max_size=40).map(bytes))
def test_emulation_prevention_is_removed(raw: bytes) -> None:
    raw += b"\x80"
    escaped = add_emulation_prevention(raw)
    assert not any(forbidden in escaped for forbidden in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
    assert remove_emulation_prevention(escaped) == raw
