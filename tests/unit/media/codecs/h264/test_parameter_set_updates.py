"""Parameter sets in a payload update a configuration record."""

import pytest

from media.bits import BitWriter
from media.codecs.h264.configuration import avc_config, record_sets, updated_config
from media.codecs.h264.nal_units import with_lengths
from media.errors import MalformedConfig
from tests.unit.ingest.samples import AVC_RECORD, IDR, OTHER_AVC_RECORD

(SPS,), (PPS,), _ = record_sets(AVC_RECORD)
(OTHER_SPS,), _, _ = record_sets(OTHER_AVC_RECORD)


def pps(number: int, sps: int = 0, rest: bytes = b"\x5a") -> bytes:
    bits = BitWriter()
    bits.write(0x68, 8)
    bits.ue(number)
    bits.ue(sps)
    return bits.to_bytes() + rest


def update(*units: bytes, record: bytes = AVC_RECORD) -> tuple[list[bytes], list[bytes]] | None:
    """The sequence and picture parameter sets of the new record."""
    config = updated_config(record, with_lengths(units))
    return None if config is None else record_sets(config.record)[:2]


def test_equal_sets_are_no_update() -> None:
    assert update(IDR) is None
    assert update(SPS, PPS, IDR) is None
    assert update(PPS + b"\0\0", IDR) is None
    assert update(b"\x27" + SPS[1:], IDR) is None


def test_a_set_replaces_the_one_with_its_id() -> None:
    assert update(OTHER_SPS, IDR) == ([OTHER_SPS], [PPS])
    assert update(pps(0), IDR) == ([SPS], [pps(0)])


def test_a_set_with_another_id_is_added() -> None:
    assert update(pps(3), IDR) == ([SPS], [pps(3), PPS])


def test_several_sets_of_a_record_may_be_repeated_in_part() -> None:
    record = avc_config([SPS], [PPS, pps(3)]).record
    assert update(SPS, PPS, IDR, record=record) is None


def test_both_kinds_are_needed_without_a_record() -> None:
    assert update(SPS, IDR, record=b"") is None
    assert update(PPS, IDR, record=b"") is None
    assert update(SPS, PPS, record=b"") == ([SPS], [PPS])


def test_a_sequence_parameter_set_remains_if_its_picture_set_refers_to_another() -> None:
    assert update(pps(0, sps=5), record=AVC_RECORD) == ([SPS], [pps(0, sps=5)])


@pytest.mark.parametrize(
    "units",
    [
        [b"\x67"],
        [b"\x68"],
        [pps(256)],
        [pps(0, sps=32)],
        [pps(number, rest=bytes(range(1, 255)) * 2) for number in range(200)],
    ],
)
def test_malformed_sets_are_refused(units: list[bytes]) -> None:
    with pytest.raises(MalformedConfig):
        update(*units)
