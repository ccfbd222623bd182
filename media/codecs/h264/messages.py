"""Reads video messages: NAL units after lengths (ISO/IEC 14496-15, 5.2.3) or, from some encoders, after start codes
(ITU-T H.264, Annex B).

An access unit starts with the first slice of a picture, or with the NAL units that precede it (H.264, 7.4.1.2.3).
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from media.codecs.descriptor import Content, Message
from media.codecs.h264.configuration import nal_length_size
from media.codecs.h264.nal_units import (
    LENGTH_SIZE,
    MAX_NAL_UNITS,
    NAL_ACCESS_UNIT_DELIMITER,
    NAL_IDR,
    NAL_PPS,
    NAL_SPS,
    NAL_TYPE,
    START_CODE,
    annexb_nal_units,
    annexb_to_lengths,
    begins_with_start_code,
    nal_units,
    too_many,
    with_lengths,
)
from media.errors import MalformedConfig

# Types 1 to 5 are slices, without and with data partitioning, and slices of an IDR picture (Table 7-1).
# NAL units that start an access unit if they follow a picture (7.4.1.2.3), and the extension of an SPS.
BEFORE_PICTURE = sum(1 << kind for kind in (6, 7, 8, 9, 13, 14, 15, 16, 17, 18))
PARAMETER_SETS = 1 << NAL_SPS | 1 << NAL_PPS

_unpack_length = struct.Struct(">I").unpack_from
# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
PICTURE, CONFIGURED, CONTINUATION = Content.PICTURE, Content.CONFIGURED_PICTURE, Content.CONTINUATION


def message_reader(record: bytes) -> Callable[[bytes], Message]:
    """The function that reads messages sent with ``record``, empty if none was sent. Raises MalformedConfig."""
    if not record or begins_with_start_code(record):
        return read_message
    size = nal_length_size(record)
    return read_message if size == LENGTH_SIZE else partial(convert_message, size=size)


def read_message(data: bytes) -> Message:
    """The payload of ``data``, whose NAL lengths have 4 bytes, checked: empty NAL units are left out.

    The payload is the same object if there is nothing to change. Raises MalformedConfig, TooManyNalUnits.
    """
    # The usual message, faster: one slice, of type 1 or 5, which is the first of its picture.
    size = len(data)
    if size > 5 and data[4] & 0x1B == 1 and data[5] & 0x80 and _unpack_length(data)[0] == size - LENGTH_SIZE:
        return data, PICTURE
    content = survey(data)
    if content is PICTURE or (content is not None and not _has_inner_start_code(data)):
        return data, content
    return convert_message(data, LENGTH_SIZE)


def convert_message(data: bytes, size: int) -> Message:
    """The payload of ``data``, with NAL lengths of 4 bytes instead of ``size``, or instead of start codes.

    Raises MalformedConfig, TooManyNalUnits.
    """
    payload = _with_lengths(data, size)
    content = survey(payload)
    if content is None:
        raise MalformedConfig("a NAL unit is longer than its access unit")
    return payload, content


def survey(payload: bytes) -> Content | None:
    """What ``payload`` contains, or None if lengths of 4 bytes, none of them 0, do not lead exactly to its end.

    Raises TooManyNalUnits.
    """
    position, end = 0, len(payload)
    left = MAX_NAL_UNITS
    last = end - LENGTH_SIZE
    picture: Content | None = None
    # One bit for each type of NAL unit that is not a slice.
    others = 0
    # Literals in this loop, because it runs for every NAL unit: types 1 to 5 are slices.
    while position < last:
        (length,) = _unpack_length(payload, position)
        kind = payload[position + 4] & 0x1F
        if kind > 5:
            others |= 1 << kind
        elif picture is None and kind:
            # first_mb_in_slice, the slice header's first field, is 0 if the first bit is 1 (7.3.3, 9.1).
            begins = length > 1 and position + 5 < end and payload[position + 5] & 0x80
            picture = PICTURE if begins else CONTINUATION
        left -= 1
        if not length:
            return None
        if left < 0:
            raise too_many()
        position += 4 + length
    if position != end:
        return None
    if not others:
        return picture or Content.AFTER
    if picture is None:
        return Content.BEFORE if others & BEFORE_PICTURE else Content.AFTER
    return CONFIGURED if others & PARAMETER_SETS and picture is PICTURE else picture


def join(payloads: Sequence[bytes]) -> bytes:
    """One access unit of the payloads of several messages. A delimiter comes first (7.4.1.2.3), and only once.

    Raises MalformedConfig, TooManyNalUnits.
    """
    delimiter: list[bytes] = []
    units: list[bytes] = []
    for payload in payloads:
        for nal_unit in nal_units(payload):
            (delimiter if nal_unit[0] & NAL_TYPE == NAL_ACCESS_UNIT_DELIMITER else units).append(nal_unit)
        if len(units) + len(delimiter) > MAX_NAL_UNITS:
            raise too_many()
    return with_lengths([*delimiter[:1], *units])


def _with_lengths(data: bytes, size: int) -> bytes:
    """Raises MalformedConfig, TooManyNalUnits."""
    if size == LENGTH_SIZE or not begins_with_start_code(data):
        try:
            units = list(nal_units(data, size))
        except MalformedConfig:
            if not begins_with_start_code(data):
                raise
        else:
            return with_lengths(_exploded(units))
    return annexb_to_lengths(data)


def _exploded(units: Iterable[bytes]) -> list[bytes]:
    """The NAL units. Some encoders send several of them, separated by start codes, after one length.

    Raises TooManyNalUnits.
    """
    exploded: list[bytes] = []
    for nal_unit in units:
        if START_CODE[1:] in nal_unit:
            exploded.extend(annexb_nal_units(START_CODE + nal_unit))
        else:
            exploded.append(nal_unit)
        if len(exploded) > MAX_NAL_UNITS:
            raise too_many()
    return exploded


def _has_inner_start_code(payload: bytes) -> bool:
    """Whether a NAL unit that is not a slice contains a start code, which no NAL unit does (7.4.1)."""
    return any(
        START_CODE[1:] in nal_unit for nal_unit in nal_units(payload) if not 1 <= nal_unit[0] & NAL_TYPE <= NAL_IDR
    )
