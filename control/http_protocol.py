"""uvicorn's HTTP/1.1 protocol with a bound on everything that a client sends and on the time that it takes.

uvicorn with httptools bounds neither the head of a request nor its trailer fields, and sets no deadline except for
idle connections. httptools copies a field's value again with each piece that arrives, so a long value takes
quadratic time. Statuses: RFC 6585, 5 (431), RFC 9110, 15.5.9 (408) and 15.6.4 (503).
"""

import asyncio
import logging
import socket
import struct
from enum import Enum, auto
from typing import Any, cast

import structlog
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from control.http_limits import HttpConnections, TooManyConnections

log = structlog.get_logger("http")
# Any client can send what is no HTTP, thousands of times a second: that is counted, and not a line in the log.
ERRORS = logging.getLogger("uvicorn.error.protocol")
ERRORS.setLevel(logging.ERROR)

# The parser gets the bytes in pieces of this size. After each, limits are checked; the rest waits while a request
# waits for the one before it.
PIECE = 512
# Bytes that the kernel may hold without having sent them. With more, a client could read nothing for minutes before
# the server notices it, and each such client would use megabytes of the kernel's memory.
UNSENT_BYTES = 128 * 1024
# struct linger: on, for 0 seconds.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
# What a field adds to its name and value on the wire: a colon, a space and the line's end.
FIELD_OVERHEAD = 4


class Phase(Enum):
    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    REFUSED = auto()


class LimitExceeded(Exception):
    """Leaves the parser's callback; the refusal is already chosen."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection.

    A client that breaks a limit gets an answer that names it. If another answer is on the way, the connection is
    aborted instead, because the client would take the one for a part of the other.
    """

    def __init__(self, *args: Any, connections: HttpConnections, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = ERRORS
        self._pool = connections
        self._limits = connections.limits
        self.timeout_keep_alive = connections.limits.idle_timeout  # type: ignore[assignment]  # uvicorn: whole seconds
        self._phase = Phase.HEAD
        self._fields = 0
        self._field_bytes = 0
        # Bytes since the parser last completed a head, a message, or a piece of a body.
        self._unparsed = 0
        self._parsed = False
        # Bytes of further requests, which are parsed when the ones before them are answered.
        self._unread = b""
        self._refusal: tuple[int, str, str] | None = None
        self._request_timer: asyncio.TimerHandle | None = None
        self._timed: Phase | None = None
        self._send_timer: asyncio.TimerHandle | None = None
        # The request that is being answered; `cycle` is the newest one that has arrived.
        self._running: RequestResponseCycle | None = None

    def evict(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        try:
            self._pool.admit(self, self.client[0] if self.client else "")
        except TooManyConnections as refusal:
            self._refuse(503, refusal.code, str(refusal))
            transport.close()
            return
        _limit_unsent(transport.get_extra_info("socket"))
        self._time_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread = b""
        self._pool.remove(self)
        self._phase = Phase.REFUSED
        self._set_request_timer(None)
        self._set_send_timer(None)
        super().connection_lost(exc)
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        if self._unread or self._must_wait():
            self._unread += data
            self.flow.pause_reading()
            return
        if self._phase is Phase.IDLE:
            self._phase = Phase.HEAD
        view = memoryview(data)
        for start in range(0, len(data), PIECE):
            if self._phase is Phase.REFUSED or self.transport.is_closing():
                return
            if self._must_wait():
                self._unread = data[start:]
                self.flow.pause_reading()
                break
            self._parsed = False
            piece = data if len(data) <= PIECE else view[start : start + PIECE]
            super().data_received(cast(bytes, piece))
            self._unparsed = 0 if self._parsed else self._unparsed + len(piece)
            if self._unparsed > self._limits.head_bytes:
                self._refuse(*self._too_large())
        if self._phase is not Phase.REFUSED:
            self._time_request()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = Phase.HEAD
        self._timed = None
        self._fields = self._field_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._field_bytes += len(name) + len(value) + FIELD_OVERHEAD
        if self._fields > self._limits.fields or self._field_bytes > self._limits.head_bytes:
            self._exceed(*self._too_large())
        # A trailer field is not a header field (RFC 9110, 6.5.1), and nothing here uses one.
        if self._phase is Phase.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._field_bytes + len(self.url) > self._limits.head_bytes:
            self._exceed(*self._too_large())
        self._phase = Phase.BODY
        self._parsed = True
        self._begin_request()

    def on_body(self, body: bytes) -> None:
        self._parsed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._phase = Phase.IDLE
        self._parsed = True
        self._end_request()
        if not self._is_answered():
            self._pool.serve(self)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_flush()
        if self._unread and not self._must_wait():
            self.loop.call_soon(self._read_rest)
        if self._is_answered():
            self._pool.wait(self)

    def _begin_request(self) -> None:
        """The head is complete."""
        super().on_headers_complete()

    def _end_request(self) -> None:
        """The body is complete."""
        super().on_message_complete()

    def _must_wait(self) -> bool:
        """Whether what follows is parsed only when the requests before it are answered."""
        return bool(self.pipeline)

    def _read_rest(self) -> None:
        rest, self._unread = self._unread, b""
        if rest and not self.transport.is_closing():
            self.data_received(rest)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle

        async def run(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                if not cycle.response_complete:
                    # uvicorn closes the connection next.
                    self.loop.call_soon(self._await_flush)

        super()._start_asgi_task(cycle, run)

    def send_400_response(self, msg: str) -> None:
        """Called for every error that leaves the parser."""
        self._refuse(*(self._refusal or (400, "bad-request", "this is not a valid HTTP/1.1 request")))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._set_send_timer(self._limits.send_timeout)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._set_send_timer(None)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._await_flush()

    def shutdown(self) -> None:
        super().shutdown()
        self._await_flush()

    def _unsupported_upgrade_warning(self) -> None:
        """Not logged: any client can ask for an upgrade, and the request is answered without one."""

    def _is_answered(self) -> bool:
        """Whether no request waits for an answer or for the rest of one."""
        return (self.cycle is None or self.cycle.response_complete) and not self.pipeline

    def _too_large(self) -> tuple[int, str, str]:
        limits = self._limits
        text = f"a request's head is at most {limits.head_bytes} bytes and {limits.fields} fields"
        return 431, "head-too-large", text

    def _exceed(self, status: int, code: str, text: str) -> None:
        """Raises LimitExceeded."""
        self._refusal = (status, code, text)
        raise LimitExceeded(text)

    def _refuse(self, status: int, code: str, text: str) -> None:
        """Answer with ``status`` and ``text``, and close."""
        if self._phase is Phase.REFUSED:
            return
        self._phase = Phase.REFUSED
        self._pool.on_refused(code)
        log.debug("connection refused", address=self.client[0] if self.client else "", code=code, text=text)
        self._unset_keepalive_if_required()
        running = self.cycle is not None and not self.cycle.response_complete
        if self.pipeline or (running and (self.cycle.response_started or not self.cycle.more_body)):
            self.transport.abort()
            return
        if running:
            # Its answer would follow the refusal.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = f"{text}\n".encode()
        head = (
            b"content-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        # Closing now would reset the connection if the client still sends, and it might lose the answer.
        self.transport.write_eof()
        self._set_request_timer(self._limits.linger)

    def _time_request(self) -> None:
        """Start the deadline of the phase that has begun."""
        if self._phase is self._timed:
            return
        self._timed = self._phase
        self._set_request_timer(None if self._phase is Phase.IDLE else self._limits.request_timeout)

    def _set_request_timer(self, seconds: float | None) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
        self._request_timer = None if seconds is None else self.loop.call_later(seconds, self._request_late)

    def _request_late(self) -> None:
        if self._phase is Phase.REFUSED:
            self.transport.abort()
        elif self._phase is Phase.HEAD and not self._is_answered():
            # The server may have paused reading until it has answered the request before.
            self._set_request_timer(self._limits.request_timeout)
        elif self._phase is Phase.HEAD and not self._unparsed:
            self.transport.close()
        else:
            part = "head" if self._phase is Phase.HEAD else "body"
            text = f"the request's {part} did not arrive within {self._limits.request_timeout:g} s"
            self._refuse(408, "request-timeout", text)

    def _await_flush(self) -> None:
        """If the transport is closing, it waits until the client has read the rest. Cut off one that does not."""
        if self.transport.is_closing() and self._send_timer is None and self.parser is not None:
            self._set_send_timer(self._limits.send_timeout)

    def _set_send_timer(self, seconds: float | None) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
        self._send_timer = None if seconds is None else self.loop.call_later(seconds, self._send_late)

    def _send_late(self) -> None:
        self._pool.on_refused("send-timeout")
        # Reset the connection: otherwise the kernel keeps what it could not send for minutes.
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()


def _limit_unsent(sock: socket.socket | None) -> None:
    if sock is not None and hasattr(socket, "TCP_NOTSENT_LOWAT") and sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
