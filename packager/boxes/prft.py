"""ProducerReferenceTimeBox (ISO/IEC 14496-12, 8.16.5), written as version 1."""

import struct
from dataclasses import dataclass

from media.timescale import NANOSECONDS
from packager.boxes.fields import Fields

SIZE = 32
VERSION_1 = 1 << 24
# The time at which the frame was input to the encoder; from the viewer's point of view, that is Headwater.
ENCODER_INPUT = 0

# From the epoch of NTP (1900) to that of Unix (1970), RFC 5905, figure 4.
NTP_TO_UNIX_S = 2_208_988_800
NTP_BITS = (1 << 64) - 1

_BOX = struct.Struct(">I4sIIQQ")


@dataclass(frozen=True, slots=True)
class ProducerReference:
    """The frame presented at ``media_time`` (the track's timescale) arrived at ``unix_ns``, Unix nanoseconds."""

    unix_ns: int
    media_time: int


@dataclass(frozen=True, slots=True)
class Prft:
    """``ntp`` is a 64-bit NTP timestamp: seconds since 1900 and their fraction."""

    flags: int
    track_id: int
    ntp: int
    media_time: int


def encode(track_id: int, reference: ProducerReference) -> bytes:
    ntp = ntp_timestamp(reference.unix_ns)
    return _BOX.pack(SIZE, b"prft", VERSION_1 | ENCODER_INPUT, track_id, ntp, reference.media_time)


def parse(body: memoryview) -> Prft:
    """Parses both versions. Raises MalformedBox."""
    fields = Fields("prft", body)
    track_id = fields.u32()
    ntp = fields.u64()
    media_time = fields.u64() if fields.version else fields.u32()
    fields.end()
    return Prft(fields.flags, track_id, ntp, media_time)


def ntp_timestamp(unix_ns: int) -> int:
    """A 64-bit NTP timestamp (RFC 5905, 6), which wraps in 2036."""
    return (NTP_TO_UNIX_S << 32) + (unix_ns << 32) // NANOSECONDS & NTP_BITS
