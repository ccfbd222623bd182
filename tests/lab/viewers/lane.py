"""One keep-alive connection of a viewer: one request at a time, reconnected if the server closes it."""

import asyncio
from time import monotonic
from typing import Protocol, cast

from tests.lab.viewers.http_reader import Answer, BadResponse, ResponseReader

BUFFER = memoryview(bytearray(256 * 1024))
REQUEST_TIMEOUT_S = 15.0


class LaneError(Exception):
    """No answer arrived. The same reason has the same text, so that reasons can be counted."""


class Abandoned(Exception):
    """The caller abandoned the request."""


class Lane(Protocol):
    @property
    def began(self) -> float:
        """When the first byte of the last answer arrived, in seconds of the system's monotonic clock."""
        ...

    async def get(self, path: str, *, keep: bool) -> Answer:
        """The answer to a GET; its body is kept only with ``keep``. Raises LaneError, Abandoned."""
        ...

    def abandon(self) -> None:
        """Abandon the current request and close the connection (RFC 9112, 9.6)."""
        ...

    def close(self) -> None: ...


class HttpLane:
    """A :class:`Lane` to ``host``:``port``; each request sends the token ``bearer`` if given."""

    def __init__(self, host: str, port: int, *, bearer: str | None = None) -> None:
        self._host, self._port = host, port
        shown = f"Authorization: Bearer {bearer}\r\n" if bearer is not None else ""
        self._fields = f" HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Encoding: gzip\r\n{shown}\r\n".encode()
        self._connection: Connection | None = None

    async def get(self, path: str, *, keep: bool) -> Answer:
        request = b"GET " + path.encode() + self._fields
        while True:
            connection, used = self._connection, True
            if connection is None or connection.closed:
                connection, used = await self._connect(), False
            try:
                return await connection.ask(request, keep=keep)
            except Unanswered:
                # A server may close an idle connection while the next request is being sent (RFC 9112, 9.3.1).
                if not used:
                    raise LaneError("connection lost") from None

    @property
    def began(self) -> float:
        return self._connection.began if self._connection is not None else 0.0

    def abandon(self) -> None:
        if self._connection is not None:
            self._connection.fail(Abandoned())

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def _connect(self) -> "Connection":
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: Connection(loop), self._host, self._port)
        except OSError:
            raise LaneError("connection refused") from None
        self._connection = connection
        return connection


class Unanswered(Exception):
    """The connection was lost before the first byte of the answer."""


class Connection(asyncio.BufferedProtocol):
    """All connections of a process receive into one buffer: each consumes its bytes before another receives."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, timeout: float = REQUEST_TIMEOUT_S) -> None:
        self._loop = loop
        self._timeout = timeout
        self._reader = ResponseReader()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self.closed = False
        self.began = 0.0

    async def ask(self, request: bytes, *, keep: bool) -> Answer:
        """Raises LaneError, Unanswered, and the error passed to :meth:`fail`."""
        if self.closed or self._transport is None:
            raise Unanswered
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        self._waiter = waiter
        self._reader.expect(keep=keep)
        timer = self._loop.call_later(self._timeout, self.fail, LaneError("timeout"))
        self._transport.write(request)
        try:
            answer = await waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            timer.cancel()
            self._waiter = None
        if not answer.keep_alive:
            self.close()
        return answer

    def close(self) -> None:
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses.
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        if self._waiter is None:
            self.close()
            return
        if not self._reader.begun:
            self.began = monotonic()
        try:
            answer = self._reader.feed(BUFFER[:nbytes])
        except BadResponse as error:
            self.fail(LaneError(str(error)))
            return
        if answer is not None and not self._waiter.done():
            self._waiter.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(LaneError("connection lost") if self._reader.begun else Unanswered())

    def fail(self, error: Exception) -> None:
        self.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
