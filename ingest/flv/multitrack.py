"""Multitrack messages of Enhanced RTMP v2 ("Multitrack Streaming via Enhanced RTMP"): their first track is used.

Video and audio have the same form: the second byte has the kind of multitrack message and the packet type of its
tracks, and a track begins with its FourCC (once, if all tracks have one codec), its id and, unless it is alone, its
size.
"""

from enum import IntEnum

from ingest.flv.errors import IgnoredTrack, TruncatedTag, UnknownPacket

FIRST_TRACK = 0
FOURCC_SIZE = 4
# A message with more tracks than this is malformed.
MAX_TRACKS = 256


class Form(IntEnum):
    """AvMultitrackType."""

    ONE_TRACK = 0
    MANY_TRACKS = 1
    MANY_CODECS = 2


def first_track(body: bytes, *, multitrack: int) -> bytes:
    """The message of the first track, as a message without tracks. ``multitrack`` is the packet type of ``body``.

    Raises IgnoredTrack if it has other tracks only, and other subclasses of OddFrame.
    """
    form, packet = _byte(body, 1) >> 4, body[1] & 0x0F
    if packet == multitrack or form not in list(Form):
        raise UnknownPacket(f"a multitrack message of form {form} and packet type {packet}")
    at = 2
    fourcc = b""
    if form != Form.MANY_CODECS:
        fourcc, at = body[at : at + FOURCC_SIZE], at + FOURCC_SIZE
    for _ in range(MAX_TRACKS):
        if form == Form.MANY_CODECS:
            fourcc, at = body[at : at + FOURCC_SIZE], at + FOURCC_SIZE
        track, at = _byte(body, at), at + 1
        size = len(body) - at
        if form != Form.ONE_TRACK:
            size, at = int.from_bytes(body[at : at + 3], "big"), at + 3
        if at + size > len(body):
            raise TruncatedTag(f"a multitrack message of {len(body)} bytes")
        if track == FIRST_TRACK:
            return bytes((body[0] & 0xF0 | packet,)) + fourcc + body[at : at + size]
        at += size
        if at == len(body):
            break
    raise IgnoredTrack("a track other than the first")


def _byte(body: bytes, at: int) -> int:
    if at >= len(body):
        raise TruncatedTag(f"a multitrack message of {len(body)} bytes")
    return body[at]
