"""Parses successive HTTP/1.1 responses (RFC 9112) with little CPU: a head, then a body that is kept or only
counted. Only bodies with a Content-Length or the chunked transfer coding are accepted."""

from dataclasses import dataclass

MAX_HEAD = 32 * 1024
MAX_CHUNK_LINE = 1024
MAX_BODY = 64 * 1024 * 1024
HEAD_END, LINE_END = b"\r\n\r\n", b"\r\n"
WITHOUT_BODY = (204, 304)


class BadResponse(Exception):
    """The bytes are not a response that this reader accepts; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is empty if it was only counted."""

    status: int
    body: bytes
    size: int
    keep_alive: bool


class ResponseReader:
    """Call :meth:`expect` for the next answer, then :meth:`feed` until that returns it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._kept: list[bytes] | None = None
        self._size = 0
        self._status = 0
        self._keep_alive = True
        # Missing bytes of the body, or of the current chunk and its line end; None in a head.
        self._missing: int | None = None
        self._chunked = False
        self._last_chunk = False

    @property
    def begun(self) -> bool:
        """Whether any byte of the expected answer was received."""
        return self._missing is not None or bool(self._buffer)

    def expect(self, *, keep: bool) -> None:
        self._kept = [] if keep else None
        self._size, self._missing, self._chunked, self._last_chunk = 0, None, False, False

    def feed(self, data: bytes | memoryview) -> Answer | None:
        """The answer if ``data`` completes it, else None. Raises BadResponse."""
        if self._missing is not None and not self._chunked:
            return self._body(data)
        self._buffer += data
        if self._missing is None and not self._head():
            return None
        if self._chunked:
            return self._answer() if self._chunks() else None
        rest = bytes(self._buffer)
        self._buffer.clear()
        return self._body(rest)

    def _body(self, data: bytes | memoryview) -> Answer | None:
        assert self._missing is not None
        if len(data) > self._missing:
            raise BadResponse("more bytes than its Content-Length")
        self._missing -= len(data)
        self._take(data)
        return self._answer() if self._missing == 0 else None

    def _head(self) -> bool:
        end = self._buffer.find(HEAD_END)
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadResponse("a head without an end")
            return False
        head = bytes(self._buffer[:end])
        del self._buffer[: end + len(HEAD_END)]
        if not (head.startswith(b"HTTP/1.1 ") and head[9:12].isdigit()):
            raise BadResponse("no HTTP/1.1 status line")
        self._status = int(head[9:12])
        fields = head.lower()
        self._keep_alive = _field(fields, b"connection") != b"close"
        self._chunked = _field(fields, b"transfer-encoding") == b"chunked"
        length = _field(fields, b"content-length")
        if self._chunked or self._status in WITHOUT_BODY:
            self._missing = 0
        elif length is None or not length.isdigit() or len(length) > 12 or int(length) > MAX_BODY:
            raise BadResponse("neither a Content-Length nor chunked")
        else:
            self._missing = int(length)
        return True

    def _chunks(self) -> bool:
        """Consume the received bytes of a chunked body; returns whether it is complete."""
        while True:
            if self._missing:
                taken = min(self._missing, len(self._buffer))
                self._take(bytes(self._buffer[: min(taken, max(0, self._missing - len(LINE_END)))]))
                self._missing -= taken
                del self._buffer[:taken]
                if self._missing:
                    return False
            end = self._buffer.find(LINE_END)
            if end < 0:
                if len(self._buffer) > MAX_CHUNK_LINE:
                    raise BadResponse("a chunk's line without an end")
                return False
            line = bytes(self._buffer[:end])
            del self._buffer[: end + len(LINE_END)]
            if self._last_chunk:
                if not line:
                    return True
                continue
            size = _chunk_size(line)
            self._last_chunk = size == 0
            self._missing = size + len(LINE_END) if size else 0

    def _take(self, data: bytes | memoryview) -> None:
        self._size += len(data)
        if self._size > MAX_BODY:
            raise BadResponse("a body without an end")
        if self._kept is not None:
            self._kept.append(bytes(data))

    def _answer(self) -> Answer:
        if self._buffer:
            raise BadResponse("bytes after the response")
        return Answer(self._status, b"".join(self._kept or ()), self._size, self._keep_alive)


def _field(head: bytes, name: bytes) -> bytes | None:
    """A field's value in a lower-case head."""
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    end = head.find(LINE_END, start)
    return head[start : end if end >= 0 else None].strip()


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 8 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadResponse("a chunk without a size")
    return int(digits, 16)
