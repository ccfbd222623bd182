"""TrackFragmentHeaderBox (ISO/IEC 14496-12, 8.8.7); data offsets are from the moof's start, as CMAF requires."""

import struct
from dataclasses import dataclass

from packager.boxes.fields import Fields

BASE_DATA_OFFSET = 0x000001
SAMPLE_DESCRIPTION_INDEX = 0x000002
DEFAULT_DURATION = 0x000008
DEFAULT_SIZE = 0x000010
DEFAULT_FLAGS = 0x000020
DEFAULT_BASE_IS_MOOF = 0x020000

# Header, flags, track_ID and 0 to 3 defaults.
_BOXES = tuple(struct.Struct(f">I4sII{count}I") for count in range(4))


@dataclass(frozen=True, slots=True)
class Tfhd:
    """The parsed box; a default is None if absent."""

    track_id: int
    default_duration: int | None = None
    default_size: int | None = None
    default_flags: int | None = None


def encode(track_id: int, duration: int | None, size: int | None, sample_flags: int | None) -> bytes:
    """Writes the defaults that are not None."""
    flags = DEFAULT_BASE_IS_MOOF
    defaults = []
    if duration is not None:
        flags |= DEFAULT_DURATION
        defaults.append(duration)
    if size is not None:
        flags |= DEFAULT_SIZE
        defaults.append(size)
    if sample_flags is not None:
        flags |= DEFAULT_FLAGS
        defaults.append(sample_flags)
    layout = _BOXES[len(defaults)]
    return layout.pack(layout.size, b"tfhd", flags, track_id, *defaults)


def parse(body: memoryview) -> Tfhd:
    fields = Fields("tfhd", body)
    track_id = fields.u32()
    if fields.flags & BASE_DATA_OFFSET:
        fields.u64()
    if fields.flags & SAMPLE_DESCRIPTION_INDEX:
        fields.u32()
    duration, size, sample_flags = (
        fields.u32() if fields.flags & flag else None for flag in (DEFAULT_DURATION, DEFAULT_SIZE, DEFAULT_FLAGS)
    )
    fields.end()
    return Tfhd(track_id, duration, size, sample_flags)
