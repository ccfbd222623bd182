"""Aggregate messages (RTMP 1.0, section 7.1.6): a sequence of FLV tags, which old encoders send."""

from collections.abc import Iterator

from ingest.rtmp.errors import MalformedMessage, TooManyAggregated
from ingest.rtmp.message import Message

TAG_HEADER_SIZE = 11
BACK_POINTER_SIZE = 4
MAX_MESSAGES = 1024


def split_aggregate(message: Message, limit: int = MAX_MESSAGES) -> Iterator[Message]:
    """The messages in an aggregate, at most ``limit``. The first one gets the aggregate's timestamp.

    Raises MalformedMessage, TooManyAggregated.
    """
    payload, at, count = message.payload, 0, 0
    shift: int | None = None
    while at < len(payload):
        count += 1
        if count > limit:
            raise TooManyAggregated(f"an aggregate message has more than {limit} messages")
        header = payload[at : at + TAG_HEADER_SIZE]
        body = at + TAG_HEADER_SIZE
        after = body + int.from_bytes(header[1:4], "big")
        if len(header) < TAG_HEADER_SIZE or after > len(payload):
            raise MalformedMessage("an aggregate message is truncated")
        # In FLV, the upper 8 bits of the timestamp follow the lower 24.
        timestamp = header[7] << 24 | int.from_bytes(header[4:7], "big")
        if shift is None:
            shift = message.timestamp - timestamp
        yield Message(header[0], message.stream_id, (timestamp + shift) & 0xFFFFFFFF, payload[body:after])
        at = after + BACK_POINTER_SIZE
