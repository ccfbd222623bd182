"""The state of a chunk stream between two chunks (RTMP 1.0, section 5.3.1.2)."""


class ChunkStream:
    """The last header of a chunk stream, and its partial message.

    ``delta`` is the last timestamp field as sent; a type 3 chunk that starts a message repeats it. ``partial`` is
    None between messages; ``missing`` is the number of payload bytes still to come. ``continuation`` is the basic
    header of its type 3 chunks, empty if that has more than one byte.
    """

    __slots__ = (
        "continuation",
        "delta",
        "extended",
        "id",
        "length",
        "missing",
        "partial",
        "stream_id",
        "timestamp",
        "type_id",
    )

    def __init__(self, id: int) -> None:
        self.id = id
        self.timestamp = 0
        self.delta = 0
        self.extended = False
        self.length = 0
        self.type_id = 0
        self.stream_id = 0
        self.partial: bytearray | None = None
        self.missing = 0
        self.continuation = bytes((0xC0 | id,)) if id < 64 else b""
