"""The HTTP/1.1 protocol that repeats answers from :mod:`origin.hot` before a request reaches the application."""

import re
from collections import deque
from typing import Any

from control.http_protocol import BoundedHttpProtocol, Phase
from origin.hot import SHARED, HotAnswer, HotAnswers, Key

END_OF_HEAD = b"\r\n\r\n"
REQUEST_LINE = re.compile(rb"GET ([!-~]+) HTTP/1\.1\r\n")


class HotHttpProtocol(BoundedHttpProtocol):
    """One connection.

    Only a request that is alone in what has arrived is answered here; the parser is then at its end. Pipelined
    requests, and those that are no GET requests of HTTP/1.1 on a connection that stays open, go to the application.

    A client sends the same header fields with each of its requests. Those of a shared request are remembered: a
    request with the same bytes after its request line needs no parser.
    """

    def __init__(self, *args: Any, hot: HotAnswers, **options: Any) -> None:
        super().__init__(*args, **options)
        self._hot = hot
        self._received = b""
        # Of the last shared request: the bytes after its request line, and whether its answer may be compressed.
        self._known_fields = b""
        self._gzips = False
        # Of the request that waits for the answer to another one, and its bytes if the parser has not seen them.
        self._key: Key | None = None
        self._unparsed_request = b""
        # For the request whose head has just been parsed.
        self._found: HotAnswer | None = None
        # The rest of the answer that is being sent.
        self._unsent: deque[memoryview] = deque()
        self._closes = False

    def data_received(self, data: bytes) -> None:
        if self._known_fields and data.endswith(self._known_fields) and self._answers_unparsed(data):
            return
        self._received = data
        super().data_received(data)
        self._received = b""

    def connection_lost(self, exc: Exception | None) -> None:
        self._unsent.clear()
        if self._key is not None:
            self._hot.leave(self._key, self)
            self._key = None
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unsent:
            self._send_rest()

    def shutdown(self) -> None:
        if self._unsent:
            self._closes = True
            return
        if self._key is not None:
            # The application ends the requests that wait.
            self._hot.leave(self._key, self)
            self.resolve(None)
        super().shutdown()

    def resolve(self, answer: HotAnswer | None) -> None:
        """Called with the answer that this connection waits for."""
        if self._key is None or self.transport.is_closing():
            return
        self._key = None
        request, self._unparsed_request = self._unparsed_request, b""
        if answer is not None:
            self._repeat(answer)
        elif request:
            super().data_received(request)
        else:
            super()._begin_request()
            super()._end_request()

    def _answers_unparsed(self, data: bytes) -> bool:
        """Whether the request in ``data``, whose fields are known, is answered or waits for its answer."""
        line = REQUEST_LINE.fullmatch(data, endpos=len(data) - len(self._known_fields))
        if line is None or self._phase is not Phase.IDLE or not self._is_answered() or self.transport.is_closing():
            return False
        key = self._hot.key(line[1], gzips=self._gzips)
        if key is None:
            return False
        answer = self._hot.find(key)
        if answer is not None:
            self._unset_keepalive_if_required()
            self._repeat(answer)
            return True
        if self._hot.wait(key, self):
            self._unset_keepalive_if_required()
            self._key, self._unparsed_request = key, data
            self._pool.serve(self)
            return True
        return False

    def _begin_request(self) -> None:
        key = self._shared_key()
        if key is not None:
            self._found = self._hot.find(key)
            if self._found is not None:
                return
            if self._hot.wait(key, self):
                self._key = key
                return
            self.scope[SHARED] = self._hot.begin(key)  # type: ignore[literal-required]
        super()._begin_request()

    def _end_request(self) -> None:
        found, self._found = self._found, None
        if found is not None:
            self._repeat(found)
        elif self._key is None:
            super()._end_request()

    def _must_wait(self) -> bool:
        return self._key is not None or bool(self._unsent) or super()._must_wait()

    def _is_answered(self) -> bool:
        return self._key is None and not self._unsent and super()._is_answered()

    def _shared_key(self) -> Key | None:
        """The key of the request whose head has just been parsed; its fields are remembered."""
        parser, received = self.parser, self._received
        is_alone = received.find(END_OF_HEAD) == len(received) - len(END_OF_HEAD)
        if not is_alone or parser.get_method() != b"GET" or not self._is_answered():
            return None
        if parser.get_http_version() != "1.1" or not parser.should_keep_alive() or parser.should_upgrade():
            return None
        gzips = self._hot.gzips(self.headers)
        if gzips is None:
            return None
        line = REQUEST_LINE.match(received)
        if line is not None:
            self._known_fields, self._gzips = received[line.end() :], gzips
        return self._hot.key(self.url, gzips=gzips)

    def _repeat(self, answer: HotAnswer) -> None:
        self._hot.count(answer)
        added = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        head = b"".join((answer.head, *added, b"\r\n"))
        first, *rest = answer.body or (memoryview(b""),)
        self.transport.writelines((head, first))
        self._unsent.extend(rest)
        self._send_rest()

    def _send_rest(self) -> None:
        """As much as the client reads, so that its connection does not buffer the whole answer."""
        while self._unsent and not self.flow.write_paused:
            self.transport.write(self._unsent.popleft())
        if not self._unsent:
            self.on_response_complete()
            if self._closes:
                super().shutdown()
