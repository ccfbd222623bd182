"""Whether decoding can start at an H.264 access unit."""

from media.codecs.h264.nal_units import LENGTH_SIZE, NAL_IDR, NAL_SEI, NAL_SLICE, NAL_TYPE
from media.errors import MalformedConfig

SEI_RECOVERY_POINT = 6
# Only so many SEI messages of a picture are read, and sizes up to 64 KiB.
MAX_SEI_MESSAGES = 64
MAX_SEI_NUMBER_BYTES = 257


def is_random_access_point(payload: bytes) -> bool:
    """True for an IDR picture, and for a picture with a recovery point SEI whose recovery is immediate.

    Some capture boxes never send a second IDR, and mark their I pictures with this SEI (ITU-T H.264, D.2.8).
    ``payload`` is an access unit with NAL lengths of 4 bytes. Raises MalformedConfig.
    """
    # Without a copy of each NAL unit: this runs for every frame.
    position, end = 0, len(payload)
    messages_left = MAX_SEI_MESSAGES
    while position < end:
        start = position + LENGTH_SIZE
        position = start + int.from_bytes(payload[position:start], "big")
        if position > end or start > end:
            raise MalformedConfig("a NAL unit is longer than its access unit")
        if position == start:
            continue
        kind = payload[start] & NAL_TYPE
        if kind == NAL_IDR:
            return True
        if kind == NAL_SEI and messages_left:
            recovers, messages_left = find_instant_recovery_point(payload[start:position], messages_left)
            if recovers:
                return True
        # SEI precedes the slices (7.4.1.2.3).
        if NAL_SLICE <= kind < NAL_IDR:
            return False
    return False


def find_instant_recovery_point(sei: bytes, messages_left: int) -> tuple[bool, int]:
    """Whether a SEI NAL unit (7.3.2.3.1) has a recovery point with a recovery_frame_cnt of 0, and how many messages
    may still be read."""
    at, end = 1, len(sei)
    while at + 2 < end and messages_left:
        messages_left -= 1
        kind, at = sei_number(sei, at)
        size, at = sei_number(sei, at)
        # recovery_frame_cnt comes first, as ue(v): zero is a single bit, 1.
        if kind == SEI_RECOVERY_POINT:
            return size > 0 and at < end and bool(sei[at] & 0x80), messages_left
        at += size
    return False, messages_left


def sei_number(sei: bytes, at: int) -> tuple[int, int]:
    """A payload type or size, and the position after it. It is the sum of bytes of 255 and one smaller byte."""
    total = 0
    end = min(len(sei), at + MAX_SEI_NUMBER_BYTES)
    while at < end:
        total += sei[at]
        at += 1
        if sei[at - 1] != 0xFF:
            break
    return total, at
