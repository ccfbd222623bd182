"""A small origin behind the caches that counts requests."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import httpx

from storage.content import IMMUTABLE, SHORT

PATIENCE_S = 10.0

TRACK = "/live/a/b/v720p"
PLAYLIST = f"{TRACK}/media.m3u8"


class Origin(ThreadingHTTPServer):
    """Answers like Headwater's origin. ``status`` overrides the status of a path; answers wait while ``hold`` is
    clear; connections are closed without an answer while ``dead``."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: Counter[str] = Counter()
        self.headers_of: dict[str, dict[str, str]] = {}
        self.status: dict[str, int] = {}
        self.version = 0
        self.dead = False
        self.hold = threading.Event()
        self.hold.set()
        self.lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignored: nginx closes connections that it no longer needs."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Origin
    caching: ClassVar[dict[str, str]] = {"m4s": IMMUTABLE, "mp4": IMMUTABLE, "js": IMMUTABLE, "m3u8": SHORT}

    def do_GET(self) -> None:
        origin, path = self.server, self.path.partition("?")[0]
        with origin.lock:
            origin.requests[self.path] += 1
            origin.headers_of[self.path] = {name.lower(): value for name, value in self.headers.items()}
            status, version = origin.status.get(path, 200), origin.version
        origin.hold.wait(PATIENCE_S)
        if origin.dead:
            self.close_connection = True
            return
        extension = path.rpartition(".")[2]
        body = f"{path} {version}".encode() * 100 if status == 200 else b"no"
        caching = self.caching.get(extension, "no-cache") if status == 200 else "no-store"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "public, max-age=1" if status == 404 else caching)
        self.send_header("Content-Type", "application/vnd.apple.mpegurl" if extension == "m3u8" else "video/mp4")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def counting_origin() -> Iterator[Origin]:
    with Origin() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.hold.set()
        server.shutdown()
        thread.join()


def all_at_once(client: httpx.Client, path: str, count: int) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(client.get, [path] * count))
