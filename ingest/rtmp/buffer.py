"""The received bytes that are not parsed yet, in one block that the socket writes into directly."""

# The size of one socket read, and the longest chunk payload that stays in this buffer until it is complete: while
# publishing, and before.
READ_SIZE = 64 * 1024
SMALL_READ_SIZE = 4 * 1024


class ReceiveBuffer:
    """Unread bytes are ``data[start:end]``; ``view`` is the same memory. Readers advance ``start``."""

    __slots__ = ("data", "end", "start", "view")

    def __init__(self) -> None:
        self.data = bytearray(SMALL_READ_SIZE)
        self.view = memoryview(self.data)
        self.start = 0
        self.end = 0

    def __len__(self) -> int:
        return self.end - self.start

    def writable(self, size: int) -> memoryview:
        """Free memory for at least ``size`` bytes. Call :meth:`written` with the number of bytes used."""
        start, end = self.start, self.end
        if start == end:
            self.start = self.end = end = 0
        if len(self.data) - end < size:
            self._make_room(size)
        return self.view[self.end :]

    def written(self, count: int) -> None:
        self.end += count

    def append(self, data: bytes | bytearray | memoryview) -> None:
        count = len(data)
        self.writable(count)[:count] = data
        self.end += count

    def take(self, count: int) -> bytes:
        """Remove and return the next ``count`` unread bytes. The buffer must contain them."""
        start = self.start
        self.start = start + count
        return self.view[start : start + count].tobytes()

    def clear(self) -> None:
        self.start = self.end = 0

    def release(self) -> None:
        """Free the memory. Nothing is unread then."""
        self.clear()
        self.data = bytearray()
        self.view = memoryview(self.data)

    def _make_room(self, size: int) -> None:
        unread = len(self)
        source = self.view[self.start : self.end].tobytes()
        if len(self.data) < unread + size:
            self.data = bytearray(2 * max(unread + size, 2 * size))
            self.view = memoryview(self.data)
        self.view[:unread] = source
        self.start, self.end = 0, unread
