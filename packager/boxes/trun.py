"""TrackRunBox (ISO/IEC 14496-12, 8.8.8), written as version 1: composition offsets are signed."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from packager.boxes.fields import Fields
from packager.errors import BoxLimitExceeded, MalformedBox

DATA_OFFSET = 0x001
FIRST_SAMPLE_FLAGS = 0x004
DURATION = 0x100
SIZE = 0x200
FLAGS = 0x400
COMPOSITION_OFFSET = 0x800

VERSION_1 = 1 << 24
MDAT_HEADER_SIZE = 8
MAX_SAMPLES = 1 << 16

# Header, version and flags, sample_count, data_offset.
_HEADER = struct.Struct(">I4sIIi")
_FIRST_SAMPLE_FLAGS = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Trun:
    """Samples in decoding order, a column for each field. A column of None means the track fragment's default."""

    count: int
    data_offset: int | None = None
    first_sample_flags: int | None = None
    durations: tuple[int, ...] | None = None
    sizes: tuple[int, ...] | None = None
    flags: tuple[int, ...] | None = None
    composition_offsets: tuple[int, ...] | None = None


def encode(
    position: int,
    count: int,
    *,
    first_sample_flags: int | None = None,
    durations: Sequence[int] | None = None,
    sizes: Sequence[int] | None = None,
    flags: Sequence[int] | None = None,
    composition_offsets: Sequence[int] | None = None,
) -> bytes:
    """The run of ``count`` samples whose data fills the mdat after the moof.

    ``position`` is the offset of this box, the last one, in the moof. Columns that are None are left out.
    """
    box_flags = VERSION_1 | DATA_OFFSET
    layout = ""
    columns = []
    if durations is not None:
        box_flags |= DURATION
        layout += "I"
        columns.append(durations)
    if sizes is not None:
        box_flags |= SIZE
        layout += "I"
        columns.append(sizes)
    if flags is not None:
        box_flags |= FLAGS
        layout += "I"
        columns.append(flags)
    if composition_offsets is not None:
        box_flags |= COMPOSITION_OFFSET
        layout += "i"
        columns.append(composition_offsets)
    first = b""
    if first_sample_flags is not None:
        box_flags |= FIRST_SAMPLE_FLAGS
        first = _FIRST_SAMPLE_FLAGS.pack(first_sample_flags)
    size = _HEADER.size + len(first) + 4 * len(columns) * count
    data_offset = position + size + MDAT_HEADER_SIZE
    rows = _rows(layout, count).pack(*chain.from_iterable(zip(*columns, strict=True)))
    return _HEADER.pack(size, b"trun", box_flags, count, data_offset) + first + rows


def parse(body: memoryview) -> Trun:
    """Raises MalformedBox, BoxLimitExceeded."""
    fields = Fields("trun", body)
    count = fields.u32()
    if count > MAX_SAMPLES:
        raise BoxLimitExceeded(f"a trun of {count} samples; at most {MAX_SAMPLES} are read")
    data_offset = fields.i32() if fields.flags & DATA_OFFSET else None
    first_sample_flags = fields.u32() if fields.flags & FIRST_SAMPLE_FLAGS else None
    present = [flag for flag in (DURATION, SIZE, FLAGS, COMPOSITION_OFFSET) if fields.flags & flag]
    layout = "".join("i" if flag == COMPOSITION_OFFSET and fields.version else "I" for flag in present)
    rows = fields.rest()
    if len(rows) != 4 * len(present) * count:
        raise MalformedBox(f"trun claims {count} samples in {len(rows)} bytes")
    values = struct.unpack(">" + layout * count, rows)
    columns = {flag: values[index :: len(present)] for index, flag in enumerate(present)}
    return Trun(
        count=count,
        data_offset=data_offset,
        first_sample_flags=first_sample_flags,
        durations=columns.get(DURATION),
        sizes=columns.get(SIZE),
        flags=columns.get(FLAGS),
        composition_offsets=columns.get(COMPOSITION_OFFSET),
    )


@lru_cache(maxsize=512)
def _rows(layout: str, count: int) -> struct.Struct:
    return struct.Struct(">" + layout * count)
