"""Reading a FullBox's contents field by field, never past their end."""

from packager.errors import MalformedBox


class Fields:
    """Starts after the box's size and type; ``version`` and ``flags`` are read immediately. Raises MalformedBox."""

    __slots__ = ("_body", "_name", "_position", "flags", "version")

    def __init__(self, name: str, body: memoryview) -> None:
        self._name = name
        self._body = body
        self._position = 0
        head = self.u32()
        self.version = head >> 24
        self.flags = head & 0xFFFFFF

    def u32(self) -> int:
        return self._unsigned(4)

    def u64(self) -> int:
        return self._unsigned(8)

    def i32(self) -> int:
        return int.from_bytes(self._take(4), "big", signed=True)

    def rest(self) -> memoryview:
        return self._take(len(self._body) - self._position)

    def end(self) -> None:
        """Raises MalformedBox if bytes are left."""
        if self._position != len(self._body):
            raise MalformedBox(f"{self._name} has {len(self._body) - self._position} bytes too many")

    def _unsigned(self, count: int) -> int:
        return int.from_bytes(self._take(count), "big")

    def _take(self, count: int) -> memoryview:
        start = self._position
        end = start + count
        if end > len(self._body):
            raise MalformedBox(f"{self._name} ends in the middle of a field")
        self._position = end
        return self._body[start:end]
