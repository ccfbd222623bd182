"""Responses whose bodies are views of bytes that many responses share."""

from collections.abc import Iterator, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

# The server takes the next piece when the client has read the one before, so a slow client has one in its buffer.
PIECE = 64 * 1024


def pieces(data: bytes | memoryview) -> Iterator[memoryview]:
    view = memoryview(data)
    for start in range(0, len(view), PIECE):
        yield view[start : start + PIECE]


class SharedBody(Response):
    """Sends ``body`` in pieces, without copying it: however slowly clients read, they share one buffer."""

    def __init__(
        self, body: bytes | memoryview, *, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(body, status_code=status_code, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        left = len(self.body)
        for piece in pieces(self.body):
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        if not self.body:
            await send({"type": "http.response.body", "body": b""})
