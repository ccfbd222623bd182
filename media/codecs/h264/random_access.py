"""Whether decoding can start at an H.264 access unit."""

from media.codecs.h264.nal_units import NAL_IDR, NAL_SEI, NAL_TYPE, nal_units

SEI_RECOVERY_POINT = 6


def is_random_access_point(payload: bytes) -> bool:
    """True for an IDR picture, and for a picture with a recovery point SEI whose recovery is immediate.

    Some capture boxes never send a second IDR, and mark their I pictures with this SEI (ITU-T H.264, D.2.8).
    ``payload`` is an access unit with NAL lengths of 4 bytes. Raises MalformedConfig.
    """
    kinds = set()
    recovers = False
    for nal_unit in nal_units(payload):
        kind = nal_unit[0] & NAL_TYPE
        kinds.add(kind)
        recovers = recovers or (kind == NAL_SEI and has_instant_recovery_point(nal_unit))
    return NAL_IDR in kinds or recovers


def has_instant_recovery_point(sei: bytes) -> bool:
    """Whether a SEI NAL unit (7.3.2.3.1) has a recovery point with a recovery_frame_cnt of 0."""
    at, end = 1, len(sei)
    while at + 2 < end:
        kind, at = sei_number(sei, at)
        size, at = sei_number(sei, at)
        # recovery_frame_cnt comes first, as ue(v): zero is a single bit, 1.
        if kind == SEI_RECOVERY_POINT:
            return size > 0 and at < end and bool(sei[at] & 0x80)
        at += size
    return False


def sei_number(sei: bytes, at: int) -> tuple[int, int]:
    """A payload type or size, and the position after it. It is the sum of bytes of 255 and one smaller byte."""
    total = 0
    while at < len(sei):
        total += sei[at]
        at += 1
        if sei[at - 1] != 0xFF:
            break
    return total, at
