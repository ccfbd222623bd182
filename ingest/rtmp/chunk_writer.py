"""Encodes messages as chunks (RTMP 1.0, section 5.3)."""

from ingest.rtmp.message import Message

DEFAULT_CHUNK_SIZE = 128
EXTENDED = 0xFFFFFF


def encode_message(chunk_stream: int, message: Message, chunk_size: int = DEFAULT_CHUNK_SIZE) -> bytes:
    """``message`` as one type 0 chunk, followed by type 3 chunks if it is longer than ``chunk_size``."""
    extended = message.timestamp >= EXTENDED
    suffix = message.timestamp.to_bytes(4, "big") if extended else b""
    header = b"".join(
        (
            basic_header(0, chunk_stream),
            (EXTENDED if extended else message.timestamp).to_bytes(3, "big"),
            len(message.payload).to_bytes(3, "big"),
            bytes((message.type_id,)),
            message.stream_id.to_bytes(4, "little"),
            suffix,
        )
    )
    continuation = basic_header(3, chunk_stream) + suffix
    payload = message.payload
    pieces = [payload[at : at + chunk_size] for at in range(0, len(payload), chunk_size)]
    return header + continuation.join(pieces)


def basic_header(fmt: int, chunk_stream: int) -> bytes:
    """The shortest chunk basic header (section 5.3.1.1). ``chunk_stream`` is 2 to 65599, ``fmt`` 0 to 3."""
    if chunk_stream < 64:
        return bytes((fmt << 6 | chunk_stream,))
    if chunk_stream < 320:
        return bytes((fmt << 6, chunk_stream - 64))
    return bytes((fmt << 6 | 1,)) + (chunk_stream - 64).to_bytes(2, "little")
