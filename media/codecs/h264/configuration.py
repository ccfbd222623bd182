"""AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1): the parameter sets of a stream."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from media.codecs.h264.nal_units import (
    LENGTH_SIZE,
    NAL_PPS,
    NAL_SPS,
    NAL_SPS_EXTENSION,
    NAL_TYPE,
    annexb_nal_units,
    begins_with_start_code,
    nal_units,
    with_lengths,
)
from media.codecs.h264.pps import parse_pps
from media.codecs.h264.sps import parse_sps
from media.configs import VideoConfig
from media.errors import MalformedConfig
from media.units import Codec

# Parameter sets are a few hundred bytes; a longer record is malformed. Encoders send one sequence parameter set, or
# two; a record could have 31, but to read so many takes too long.
MAX_RECORD = 1 << 13
MAX_SPS = 8
MAX_PPS = 255
# Records of these profiles end after the picture parameter sets (14496-15, 5.3.3.1.2).
PROFILES_WITHOUT_EXTENSION = frozenset((66, 77, 88))


def parse_avc_config(record: bytes) -> VideoConfig:
    """An AVCDecoderConfigurationRecord (14496-15, 5.3.3.1); the result's record has NAL length size 4.

    Some encoders send the parameter sets in Annex B instead. Picture size, colour and timing are the first sequence
    parameter set's. Raises MalformedConfig.
    """
    if begins_with_start_code(record):
        return annexb_config(record)
    return avc_config(*record_sets(record))


def nal_length_size(record: bytes) -> int:
    """The size in bytes (1, 2 or 4) of the length before each NAL unit in payloads with this ``record``."""
    if not 7 <= len(record) <= MAX_RECORD:
        raise MalformedConfig(f"an H.264 configuration record of {len(record)} bytes")
    if record[0] != 1:
        raise MalformedConfig(f"an H.264 configuration record of version {record[0]}, not 1")
    size = 1 + (record[4] & 3)
    if size == 3:
        raise MalformedConfig("an H.264 configuration record announces NAL lengths of 3 bytes")
    return size


def avc_config(
    sps_list: Sequence[bytes], pps_list: Sequence[bytes], sps_extensions: Sequence[bytes] = ()
) -> VideoConfig:
    """The configuration with these parameter sets, which are complete NAL units. Raises MalformedConfig."""
    _check("sequence parameter set", sps_list, NAL_SPS, range(1, MAX_SPS + 1))
    _check("picture parameter set", pps_list, NAL_PPS, range(1, MAX_PPS + 1))
    _check("sequence parameter set extension", sps_extensions, NAL_SPS_EXTENSION, range(MAX_PPS + 1))
    parsed = [parse_sps(nal_unit) for nal_unit in sps_list]
    first = parsed[0]
    constraint_flags = 0xFF
    for sps in parsed:
        constraint_flags &= sps.constraint_flags
    level = max(sps.level_idc for sps in parsed)
    record = [
        bytes((1, first.profile_idc, constraint_flags, level, 0xFC | LENGTH_SIZE - 1, 0xE0 | len(sps_list))),
        *_counted(sps_list),
        bytes((len(pps_list),)),
        *_counted(pps_list),
    ]
    if first.profile_idc not in PROFILES_WITHOUT_EXTENSION:
        depths = (0xF8 | first.bit_depth_luma - 8, 0xF8 | first.bit_depth_chroma - 8)
        record.append(bytes((0xFC | first.chroma_format_idc, *depths, len(sps_extensions))))
        record.extend(_counted(sps_extensions))
    return VideoConfig(
        codec=Codec.H264,
        record=b"".join(record),
        codec_string=f"avc1.{first.profile_idc:02x}{constraint_flags:02x}{level:02x}",
        width=first.width,
        height=first.height,
        sample_aspect_ratio=first.sample_aspect_ratio,
        frame_rate=first.frame_rate,
        colour=first.colour,
        interlaced=first.interlaced,
        chroma_format_idc=first.chroma_format_idc,
        bit_depth=max(first.bit_depth_luma, first.bit_depth_chroma),
    )


def annexb_config(data: bytes) -> VideoConfig:
    """The configuration in an encoder's Annex B extradata or first access unit. Raises MalformedConfig."""
    parameter_sets: dict[int, list[bytes]] = {NAL_SPS: [], NAL_PPS: []}
    for nal_unit in annexb_nal_units(data):
        units = parameter_sets.get(nal_unit[0] & NAL_TYPE)
        if units is not None:
            units.append(nal_unit)
    return avc_config(parameter_sets[NAL_SPS], parameter_sets[NAL_PPS])


def updated_config(record: bytes, payload: bytes) -> VideoConfig | None:
    """The configuration after the parameter sets in ``payload``, or None if they do not change ``record``.

    A parameter set replaces the one with its id (H.264, 7.4.1.2.1). If ``record`` is empty, the payload needs both
    kinds. Raises MalformedConfig.
    """
    # No NAL unit ends in a zero byte (7.4.1), but some encoders leave zeros of a start code.
    units = [
        nal_unit.rstrip(b"\x00") for nal_unit in nal_units(payload) if nal_unit[0] & NAL_TYPE in (NAL_SPS, NAL_PPS)
    ]
    if len(units) > MAX_SPS + MAX_PPS or sum(map(len, units)) > MAX_RECORD:
        raise MalformedConfig(f"an H.264 access unit has {len(units)} parameter sets")
    units = list(dict.fromkeys(units))
    _check_sps_count(sum(nal_unit[0] & NAL_TYPE == NAL_SPS for nal_unit in units))
    # Most encoders repeat the record's sets.
    if all(b"".join(_counted([nal_unit])) in record for nal_unit in units):
        return None
    sps, pps, extensions, changed = _merge_sets(record, units)
    if not changed or not sps or not pps:
        return None
    in_use = {parse_pps(nal_unit).sps_id for nal_unit in pps.values()}
    config = avc_config(
        [nal_unit for number, nal_unit in sps.items() if number in in_use] or list(sps.values()),
        list(pps.values()),
        extensions,
    )
    if len(config.record) > MAX_RECORD:
        raise MalformedConfig(f"H.264 parameter sets of {len(config.record)} bytes")
    return config


def largest_picture(payload: bytes) -> int:
    """The luma samples of the largest picture, before cropping, that the parameter sets in ``payload`` describe.

    Decoders need memory for it. Unreadable sets count as 0. Raises MalformedConfig, TooManyNalUnits.
    """
    sets = {nal_unit for nal_unit in nal_units(payload) if nal_unit[0] & NAL_TYPE == NAL_SPS}
    _check_sps_count(len(sets))
    largest = 0
    for nal_unit in sets:
        with suppress(MalformedConfig):
            largest = max(largest, parse_sps(nal_unit[:MAX_RECORD]).coded_pixels)
    return largest


def _check_sps_count(count: int) -> None:
    """To read each one takes time. Raises MalformedConfig."""
    if count > MAX_SPS:
        raise MalformedConfig(f"an H.264 access unit has {count} sequence parameter sets")


def _merge_sets(
    record: bytes, units: Sequence[bytes]
) -> tuple[dict[int, bytes], dict[int, bytes], list[bytes], bool]:
    """Sequence and picture parameter sets by id, those of ``units`` first; the extensions of ``record``; and if
    ``units`` differ from the record's sets."""
    old_sps, old_pps, extensions = record_sets(record) if record else ([], [], [])
    old = (
        {parse_sps(nal_unit).parameter_set_id: nal_unit for nal_unit in old_sps},
        {parse_pps(nal_unit).parameter_set_id: nal_unit for nal_unit in old_pps},
    )
    new: tuple[dict[int, bytes], dict[int, bytes]] = ({}, {})
    changed = False
    for nal_unit in units:
        index = 0 if nal_unit[0] & NAL_TYPE == NAL_SPS else 1
        number = parse_sps(nal_unit).parameter_set_id if index == 0 else parse_pps(nal_unit).parameter_set_id
        before = old[index].get(number)
        # The first byte may differ in nal_ref_idc, which decoders ignore.
        if before is None or before[1:] != nal_unit[1:]:
            changed = True
            new[index][number] = nal_unit
    return {**new[0], **_without(old[0], new[0])}, {**new[1], **_without(old[1], new[1])}, extensions, changed


def _without(units: dict[int, bytes], others: dict[int, bytes]) -> dict[int, bytes]:
    return {number: nal_unit for number, nal_unit in units.items() if number not in others}


def config_parameter_sets(record: bytes) -> bytes:
    """The parameter sets of a configuration record as a payload's first NAL units. Raises MalformedConfig."""
    sps_list, pps_list, _ = record_sets(record)
    return with_lengths([*sps_list, *pps_list])


def _counted(units: Sequence[bytes]) -> Iterator[bytes]:
    for nal_unit in units:
        yield len(nal_unit).to_bytes(2, "big") + nal_unit


def record_sets(record: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """A configuration record's sequence and picture parameter sets, and SPS extensions. Raises MalformedConfig."""
    nal_length_size(record)
    sps_list, position = _read_parameter_sets(record, 6, record[5] & 0x1F)
    if position >= len(record):
        raise MalformedConfig("an H.264 configuration record ends before its picture parameter sets")
    pps_list, position = _read_parameter_sets(record, position + 1, record[position])
    extensions: list[bytes] = []
    # Skip chroma format and bit depths, three bytes, which some encoders set wrongly: they are taken from the SPS.
    if position + 4 <= len(record) and record[1] not in PROFILES_WITHOUT_EXTENSION:
        extensions, _ = _read_parameter_sets(record, position + 4, record[position + 3])
    return sps_list, pps_list, extensions


def _read_parameter_sets(record: bytes, position: int, count: int) -> tuple[list[bytes], int]:
    units = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(record[position:start], "big")
        if position > len(record) or start > len(record):
            raise MalformedConfig("an H.264 configuration record ends in the middle of a parameter set")
        # Some hardware encoders leave zeros of the next start code at the end.
        units.append(record[start:position].rstrip(b"\x00"))
    return units, position


def _check(name: str, units: Sequence[bytes], kind: int, count: range) -> None:
    if len(units) not in count:
        raise MalformedConfig(f"an H.264 configuration has {len(units)} {name}s")
    for nal_unit in units:
        if not 1 <= len(nal_unit) < MAX_RECORD:
            raise MalformedConfig(f"an H.264 {name} is {len(nal_unit)} bytes long")
        if nal_unit[0] & NAL_TYPE != kind:
            raise MalformedConfig(f"an H.264 {name} is not a NAL unit of type {kind}")
