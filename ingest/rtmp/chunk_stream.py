"""What a chunk stream remembers from one chunk to the next (RTMP 1.0, section 5.3.1.2)."""


class ChunkStream:
    """``delta`` is the last timestamp field as sent, which a type 3 chunk that begins a message repeats.

    ``partial`` is None between messages; ``missing`` is how much of the message's payload has still to come.
    ``continuation`` is the one byte that begins its type 3 chunks, or -1 where that takes more than one byte.
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
        self.continuation = 0xC0 | id if id < 64 else -1
