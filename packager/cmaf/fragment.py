"""Encodes CMAF chunks (ISO/IEC 23000-19, 7.3.3): one movie fragment with some samples of one track."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from media.units import Kind
from packager.boxes import mdat, mfhd, moof, prft, styp, tfdt, tfhd, traf, trun
from packager.boxes.box import HEADER_SIZE
from packager.boxes.prft import ProducerReference
from packager.errors import Unwritable

__all__ = ["EMPTY_SEGMENT", "ProducerReference", "Sample", "fragment"]

# sample_flags (ISO/IEC 14496-12, 8.8.3.1): sample_depends_on from bit 24, sample_is_non_sync_sample in bit 16.
SYNC = 2 << 24
NON_SYNC = 1 << 24 | 1 << 16

_STYP = styp.encode()
# A segment without media, for players that compute segment numbers from a clock and do not know of a gap yet.
EMPTY_SEGMENT = _STYP


class Sample(NamedTuple):
    """One access unit. ``duration`` and ``cts`` (presentation minus decoding time, may be negative) are ticks of
    the track's timescale; ``key`` marks a sync sample."""

    duration: int
    cts: int
    key: bool
    payload: bytes


def fragment(
    sequence: int,
    base_media_decode_time: int,
    samples: Sequence[Sample],
    *,
    kind: Kind,
    track_id: int = 1,
    producer_reference: ProducerReference | None = None,
    first_of_segment: bool = True,
) -> bytes:
    """[styp] [prft] moof mdat. Values that all samples share are written once, as defaults of the track fragment.

    Only the first fragment of a segment has styp, so that a segment is the concatenation of its parts.
    ``base_media_decode_time`` is the decode time of the first sample. Raises Unwritable if ``samples`` is empty or
    a value does not fit its box.
    """
    if not samples:
        raise Unwritable("a fragment without samples")
    payloads = [sample.payload for sample in samples]
    durations = [sample.duration for sample in samples]
    sizes = [len(payload) for payload in payloads]
    offsets = [sample.cts for sample in samples]
    # Every audio sample is a sync sample.
    default_flags, first_flags, flags = _flag_columns([sample.key or kind is Kind.AUDIO for sample in samples])
    same_duration, same_size = _same(durations), _same(sizes)
    try:
        header = tfhd.encode(
            track_id,
            durations[0] if same_duration else None,
            sizes[0] if same_size else None,
            default_flags,
        )
        run = trun.encode(
            2 * HEADER_SIZE + mfhd.SIZE + len(header) + tfdt.SIZE,
            len(samples),
            first_sample_flags=first_flags,
            durations=None if same_duration else durations,
            sizes=None if same_size else sizes,
            flags=flags,
            composition_offsets=offsets if any(offsets) else None,
        )
        return b"".join(
            (
                _STYP if first_of_segment else b"",
                prft.encode(track_id, producer_reference) if producer_reference else b"",
                moof.encode(mfhd.encode(sequence), traf.encode(header, tfdt.encode(base_media_decode_time), run)),
                mdat.header(sum(sizes)),
                *payloads,
            )
        )
    except struct.error as error:
        raise Unwritable(
            f"fragment {sequence} at {base_media_decode_time} does not fit its boxes: {error}"
        ) from error


def _same(values: Sequence[int]) -> bool:
    return values.count(values[0]) == len(values)


def _flag_columns(keys: list[bool]) -> tuple[int | None, int | None, list[int] | None]:
    """sample_flags as (default_sample_flags, first_sample_flags, flags of each sample), in the shortest form."""
    rest = keys[1:] or keys
    if not _same(rest):
        return None, None, [_flags(key) for key in keys]
    return _flags(rest[0]), _flags(keys[0]) if keys[0] != rest[0] else None, None


def _flags(key: bool) -> int:
    return SYNC if key else NON_SYNC
