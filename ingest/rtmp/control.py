"""Protocol control and user control messages (RTMP 1.0, sections 5.4 and 7.1.7)."""

from enum import IntEnum

from ingest.rtmp.errors import MalformedMessage
from ingest.rtmp.message import Message, MessageType

CHUNK_STREAM = 2


class UserControl(IntEnum):
    """Event types of user control messages."""

    STREAM_BEGIN = 0
    PING_REQUEST = 6
    PING_RESPONSE = 7


class PeerBandwidth(IntEnum):
    """Limit types of Set Peer Bandwidth (section 5.4.5)."""

    HARD = 0
    SOFT = 1
    DYNAMIC = 2


def uint32(message: Message) -> int:
    """The number that a protocol control message starts with. Raises MalformedMessage."""
    if len(message.payload) < 4:
        raise MalformedMessage(f"a control message of type {message.type_id} has only {len(message.payload)} bytes")
    return int.from_bytes(message.payload[:4], "big")


def set_chunk_size(size: int) -> Message:
    return control(MessageType.SET_CHUNK_SIZE, size.to_bytes(4, "big"))


def acknowledgement(received: int) -> Message:
    """``received`` is the number of bytes received so far; its lower 32 bits are sent."""
    return control(MessageType.ACKNOWLEDGEMENT, (received & 0xFFFFFFFF).to_bytes(4, "big"))


def window_acknowledgement_size(size: int) -> Message:
    return control(MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, size.to_bytes(4, "big"))


def set_peer_bandwidth(size: int, limit: PeerBandwidth) -> Message:
    return control(MessageType.SET_PEER_BANDWIDTH, size.to_bytes(4, "big") + bytes((limit,)))


def user_control(event: UserControl, data: bytes) -> Message:
    return control(MessageType.USER_CONTROL, event.to_bytes(2, "big") + data)


def ping_response(message: Message) -> Message | None:
    """The answer to a Ping Request, or None for any other user control message."""
    event, data = message.payload[:2], message.payload[2:6]
    if event != UserControl.PING_REQUEST.to_bytes(2, "big"):
        return None
    return user_control(UserControl.PING_RESPONSE, data)


def control(type_id: MessageType, payload: bytes) -> Message:
    return Message(type_id, 0, 0, payload)
