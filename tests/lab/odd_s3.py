"""A small S3 server in a thread, whose answers can be bent: what it sends, and how.

Without a bend, it answers as AWS does to the operations that Headwater uses. It checks no credentials.
"""

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.lab.s3_account import S3Account

BUCKET = "bucket"
LISTING, DELETION = "ListObjectsV2", "DeleteObjects"
OPERATIONS = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
PAGE = 1000


@dataclass(slots=True)
class Answer:
    """How it is sent: ``chunked`` without a length; only the first ``cut_at`` bytes of the body, and then the
    connection is reset or, with ``stalled``, stays silent until the server stops. ``lost``: the connection is reset
    before the answer. ``closing`` closes the connection behind the answer without an announcement."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False
    cut_at: int | None = None
    stalled: bool = False
    lost: bool = False
    closing: bool = False


Bend = Callable[[str, Callable[[], Answer]], Answer]
"""Answers an operation, such as PutObject; the function performs it and returns the good answer."""


def error(status: int, code: str, message: str) -> Answer:
    body = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, body.encode(), {"Content-Type": "application/xml"})


class OddS3(ThreadingHTTPServer):
    """``requests`` lists the operations in the order of their requests; ``page`` limits a page of a listing."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, bend: Bend) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bend = bend
        self.objects: dict[str, bytes] = {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.requests: list[str] = []
        self.page = PAGE

    @property
    def account(self) -> S3Account:
        return S3Account(f"http://127.0.0.1:{self.server_port}", "AKID", "secret", "us-east-1")


@contextmanager
def odd_s3(bend: Bend) -> Iterator[OddS3]:
    with OddS3(bend) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OddS3

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        place = urlsplit(self.path)
        key = unquote(place.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        operation = DELETION if self.command == "POST" else OPERATIONS[self.command] if key else LISTING
        with self.server.lock:
            self.server.requests.append(operation)
            answer = self.server.bend(operation, lambda: self._perform(operation, key, body, place.query))
        self._send(answer)

    do_PUT = do_GET = do_HEAD = do_DELETE = do_POST = _answer

    def _perform(self, operation: str, key: str, body: bytes, query: str) -> Answer:
        if operation == LISTING:
            return self._page(parse_qs(query))
        if operation == DELETION:
            for found in re.findall(rb"<Key>([^<]*)</Key>", body):
                self.server.objects.pop(unquote(found.decode()), None)
            return Answer(body=b"<DeleteResult/>", headers={"Content-Type": "application/xml"})
        if operation == "PutObject":
            return self._put(key, body)
        if operation == "DeleteObject":
            self.server.objects.pop(key, None)
            return Answer(204)
        return self._get(key)

    def _put(self, key: str, body: bytes) -> Answer:
        old = self.server.objects.get(key)
        wanted = self.headers.get("If-Match")
        if (self.headers.get("If-None-Match") and old is not None) or (wanted and wanted != _etag(old or b"")):
            return error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        self.server.objects[key] = body
        return Answer(headers={"ETag": _etag(body)})

    def _get(self, key: str) -> Answer:
        found = self.server.objects.get(key)
        if found is None:
            return error(404, "NoSuchKey", "The specified key does not exist.")
        modified = formatdate(0, usegmt=True)
        return Answer(
            body=found, headers={"ETag": _etag(found), "Last-Modified": modified, "Content-Type": "video/mp4"}
        )

    def _page(self, query: dict[str, list[str]]) -> Answer:
        prefix, token = query.get("prefix", [""])[0], query.get("continuation-token", [""])[0]
        after = token or query.get("start-after", [""])[0]
        keys = sorted(key for key in self.server.objects if key.startswith(prefix) and key > after)
        limit = min(self.server.page, int(query.get("max-keys", [str(PAGE)])[0]))
        entries = "".join(
            f"<Contents><Key>{key}</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{_etag(self.server.objects[key])}</ETag><Size>{len(self.server.objects[key])}</Size></Contents>"
            for key in keys[:limit]
        )
        more = len(keys) > limit
        following = f"<NextContinuationToken>{keys[limit - 1]}</NextContinuationToken>" if more else ""
        text = (
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><IsTruncated>{str(more).lower()}</IsTruncated>{following}{entries}</ListBucketResult>"
        )
        return Answer(body=text.encode(), headers={"Content-Type": "application/xml"})

    def _send(self, answer: Answer) -> None:
        if answer.lost:
            self._reset()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        bodyless = self.command == "HEAD" or answer.status == 204
        if answer.chunked and not bodyless:
            self.send_header("Transfer-Encoding", "chunked")
        elif not answer.chunked and answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not bodyless:
            self._send_body(answer)
        self.close_connection = answer.closing or self.close_connection

    def _send_body(self, answer: Answer) -> None:
        if answer.cut_at is not None:
            self.wfile.write(answer.body[: answer.cut_at])
            self.wfile.flush()
            if answer.stalled:
                self.server.stopping.wait()
            self._reset()
        elif answer.chunked:
            chunk = b"%x\r\n%b\r\n" % (len(answer.body), answer.body) if answer.body else b""
            self.wfile.write(chunk + b"0\r\n\r\n")
        else:
            self.wfile.write(answer.body)

    def _reset(self) -> None:
        # With a linger time of zero, closing the socket resets the connection.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def without_element(name: str) -> Callable[[bytes], bytes]:
    """Removes an element and its text from XML."""
    pattern = re.compile(f"<{name}>[^<]*</{name}>".encode())
    return lambda body: pattern.sub(b"", body)


def _etag(body: bytes) -> str:
    return f'"{md5(body).hexdigest()}"'
