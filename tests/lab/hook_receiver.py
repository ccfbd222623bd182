"""A target of webhooks, in a thread of this process. The library `standardwebhooks` verifies each message."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True, slots=True)
class Received:
    """One request: the header ``webhook-id``, the answer's status, and the verified body."""

    id: str
    status: int
    headers: dict[str, str]
    message: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.message["type"])


@dataclass(slots=True)
class HookReceiver:
    """``secret`` verifies the signatures; until it is set, nothing is verified. ``statuses`` answer the next
    requests, and 204 all others; each waits for ``gate``. ``headers`` are in every answer. ``refused`` counts wrong
    signatures."""

    secret: str = ""
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    gate: threading.Event = field(default_factory=threading.Event)
    received: list[Received] = field(default_factory=list)
    refused: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/headwater?from=lab"

    def types(self) -> list[str]:
        """Of the messages that were answered with success, in order."""
        return [each.type for each in self.received if each.status < 300]

    def of(self, kind: str) -> list[Received]:
        return [each for each in self.received if each.type == kind]

    def take(self, headers: dict[str, str], body: bytes) -> int:
        try:
            message = Webhook(self.secret).verify(body, headers) if self.secret else json.loads(body)
        except WebhookVerificationError:
            self.refused += 1
            return 401
        status = self.statuses.pop(0) if self.statuses else 204
        self.received.append(Received(headers["webhook-id"], status, headers, message))
        return status


@contextmanager
def receiving() -> Iterator[HookReceiver]:
    """A receiver that listens until the block ends."""
    receiver = HookReceiver()
    receiver.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            receiver.gate.wait()
            self.send_response(status)
            for name, value in {"Content-Length": "0", **receiver.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A server that is stopped closes its connections."""

    listener = Listener(("127.0.0.1", 0), Handler)
    receiver.port = listener.server_port
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.gate.set()
        listener.shutdown()
        thread.join()
        listener.server_close()
