"""RTMP messages as the chunk stream carries them (RTMP 1.0, section 6.1)."""

from enum import IntEnum
from typing import Final, NamedTuple


class MessageType(IntEnum):
    """Message type ids (sections 5.4, 6.2 and 7.1)."""

    SET_CHUNK_SIZE = 1
    ABORT = 2
    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_ACKNOWLEDGEMENT_SIZE = 5
    SET_PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    DATA_AMF3 = 15
    SHARED_OBJECT_AMF3 = 16
    COMMAND_AMF3 = 17
    DATA_AMF0 = 18
    SHARED_OBJECT_AMF0 = 19
    COMMAND_AMF0 = 20
    AGGREGATE = 22


MESSAGE_TYPES: Final = frozenset(int(kind) for kind in MessageType)
MEDIA_TYPES: Final = frozenset({int(MessageType.AUDIO), int(MessageType.VIDEO), int(MessageType.AGGREGATE)})


class Message(NamedTuple):
    """A message. ``timestamp`` is milliseconds modulo 2^32.

    It is a named tuple for speed, because each frame makes one.
    """

    type_id: int
    stream_id: int
    timestamp: int
    payload: bytes


# What the chunk reader returns if it has read many chunks without completing a message. No peer can send this type.
UNFINISHED: Final = Message(0, 0, 0, b"")
