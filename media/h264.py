"""H.264 as MP4 and FLV carry it (ISO/IEC 14496-15): decoder configuration records and length-prefixed NAL units.

A payload here is one access unit. Annex B is the encoders' form: NAL units after start codes (ITU-T H.264, B.1).
"""

import struct
from collections.abc import Iterator, Sequence

from media.configs import VideoConfig
from media.errors import MalformedConfig
from media.h264_sps import NAL_SPS, parse_sps
from media.units import Codec

NAL_IDR = 5
NAL_PPS = 8
NAL_SPS_EXTENSION = 13
NAL_TYPE = 0x1F

START_CODE = b"\x00\x00\x00\x01"
LENGTH_SIZE = 4

# Parameter sets are some hundred bytes; a record larger than this is none.
MAX_RECORD = 1 << 16
MAX_SPS = 31
MAX_PPS = 255
# Records of these profiles end after the picture parameter sets (14496-15, 5.3.3.1.2).
PROFILES_WITHOUT_EXTENSION = frozenset((66, 77, 88))

_LENGTH = struct.Struct(">I")


def parse_avc_config(record: bytes) -> VideoConfig:
    """An AVCDecoderConfigurationRecord (14496-15, 5.3.3.1); the result's record has NAL length size 4.

    Picture size, colour and timing are the first sequence parameter set's. Raises MalformedConfig.
    """
    sps_list, pps_list, position = _record_sets(record)
    extensions: list[bytes] = []
    # Chroma format and bit depths, three bytes, are written anew from the parameter set; encoders get them wrong.
    if position + 4 <= len(record) and record[1] not in PROFILES_WITHOUT_EXTENSION:
        extensions, _ = _read_parameter_sets(record, position + 4, record[position + 3])
    return avc_config(sps_list, pps_list, extensions)


def nal_length_size(record: bytes) -> int:
    """How many bytes (1, 2 or 4) the length before each NAL unit has in the payloads that ``record`` announces."""
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
    """The configuration of these parameter sets (whole NAL units). Raises MalformedConfig."""
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
    )


def nal_units(payload: bytes, size: int = LENGTH_SIZE) -> Iterator[bytes]:
    """The NAL units of ``payload`` (lengths of ``size`` bytes), empty ones left out. Raises MalformedConfig."""
    position, end = 0, len(payload)
    while position < end:
        start = position + size
        position = start + int.from_bytes(payload[position:start], "big")
        if position > end or start > end:
            raise MalformedConfig("a NAL unit is longer than its access unit")
        if position > start:
            yield payload[start:position]


def relength(payload: bytes, size: int) -> bytes:
    """``payload`` with NAL lengths of 4 bytes instead of ``size``, checked, empty NAL units left out.

    The very same object where nothing is to be changed. Raises MalformedConfig.
    """
    if size == LENGTH_SIZE and _is_well_formed(payload):
        return payload
    return _with_lengths(nal_units(payload, size))


def has_idr(payload: bytes) -> bool:
    """Whether decoding can start here whatever came before. Raises MalformedConfig."""
    return any(nal_unit[0] & NAL_TYPE == NAL_IDR for nal_unit in nal_units(payload))


def parameter_sets(payload: bytes) -> tuple[list[bytes], list[bytes]]:
    """The SPS and the PPS that ``payload`` carries in band. Raises MalformedConfig."""
    return _parameter_sets(nal_units(payload))


def config_parameter_sets(record: bytes) -> bytes:
    """The parameter sets of a configuration record as a payload's first NAL units. Raises MalformedConfig."""
    sps_list, pps_list, _ = _record_sets(record)
    return _with_lengths([*sps_list, *pps_list])


def lengths_to_annexb(payload: bytes) -> bytes:
    """``payload`` (4-byte lengths) with start codes instead. Raises MalformedConfig."""
    return b"".join(START_CODE + nal_unit for nal_unit in nal_units(payload))


def annexb_nal_units(data: bytes) -> list[bytes]:
    """The NAL units between the start codes, of 3 or 4 bytes, of an Annex B byte stream. Raises MalformedConfig."""
    # No NAL unit ends in a zero byte (7.4.1): zeros at a piece's end belong to the next start code.
    leading, *pieces = data.split(START_CODE[1:])
    if leading.strip(b"\x00"):
        raise MalformedConfig("H.264 data does not begin with a start code")
    return [nal_unit for piece in pieces if (nal_unit := piece.rstrip(b"\x00"))]


def annexb_to_lengths(data: bytes) -> bytes:
    """An Annex B access unit as a payload with 4-byte lengths. Raises MalformedConfig."""
    return _with_lengths(annexb_nal_units(data))


def annexb_parameter_sets(extradata: bytes) -> tuple[list[bytes], list[bytes]]:
    """The SPS and the PPS of an encoder's Annex B extradata or access unit. Raises MalformedConfig."""
    return _parameter_sets(annexb_nal_units(extradata))


def _parameter_sets(units: Iterator[bytes] | Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    found: dict[int, list[bytes]] = {NAL_SPS: [], NAL_PPS: []}
    for nal_unit in units:
        kind = nal_unit[0] & NAL_TYPE
        if kind in found:
            found[kind].append(nal_unit)
    return found[NAL_SPS], found[NAL_PPS]


def _with_lengths(units: Iterator[bytes] | Sequence[bytes]) -> bytes:
    return b"".join(_LENGTH.pack(len(nal_unit)) + nal_unit for nal_unit in units)


def _is_well_formed(payload: bytes) -> bool:
    """Whether lengths of 4 bytes, none of them 0, lead exactly to the payload's end."""
    position, last = 0, len(payload) - LENGTH_SIZE
    while position < last:
        (length,) = _LENGTH.unpack_from(payload, position)
        if length == 0:
            return False
        position += LENGTH_SIZE + length
    return position == len(payload)


def _counted(units: Sequence[bytes]) -> Iterator[bytes]:
    for nal_unit in units:
        yield len(nal_unit).to_bytes(2, "big") + nal_unit


def _record_sets(record: bytes) -> tuple[list[bytes], list[bytes], int]:
    """A configuration record's parameter sets, and where what follows them begins."""
    nal_length_size(record)
    sps_list, position = _read_parameter_sets(record, 6, record[5] & 0x1F)
    if position >= len(record):
        raise MalformedConfig("an H.264 configuration record ends before its picture parameter sets")
    pps_list, position = _read_parameter_sets(record, position + 1, record[position])
    return sps_list, pps_list, position


def _read_parameter_sets(record: bytes, position: int, count: int) -> tuple[list[bytes], int]:
    units = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(record[position:start], "big")
        if position > len(record) or start > len(record):
            raise MalformedConfig("an H.264 configuration record ends in the middle of a parameter set")
        # Hardware encoders leave zeros of the next start code at the end.
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
