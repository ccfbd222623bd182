"""How a PUT is sent: directly, or with boto3's client if the direct request fails."""

import threading
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from storage import PreconditionFailed, StoreUnavailable
from storage.interface import ObjectInfo
from storage.s3 import S3Store
from storage.s3_client import S3Options
from storage.s3_put import PutTarget, target_of

BODY, TYPE, CACHING = b"#EXTM3U\n", "application/vnd.apple.mpegurl", "public, max-age=1"


class Server(ThreadingHTTPServer):
    """Answers PUTs with ``statuses`` in turn, then always with the last."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.statuses = [200]
        self.requests: list[tuple[str, dict[str, str]]] = []


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        status = self.server.statuses.pop(0) if len(self.server.statuses) > 1 else self.server.statuses[0]
        self.send_response(status)
        self.send_header("ETag", '"abc"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


async def put(store: S3Store, *, new: bool = False) -> ObjectInfo:
    return await store.put("live/a/master.m3u8", BODY, if_none_match=new)


def by_boto3(headers: dict[str, str]) -> bool:
    return "boto3" in headers["user-agent"].lower()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
async def store(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Store]:
    """A store that has put one object already."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    store = S3Store("bucket", "some/prefix", S3Options(endpoint=f"http://127.0.0.1:{server.server_port}"))
    await put(store)
    assert [by_boto3(headers) for _, headers in server.requests] == [True]
    server.requests.clear()
    yield store
    await store.close()


async def test_a_put_takes_one_signed_request(server: Server, store: S3Store) -> None:
    info = await put(store)
    assert (info.etag, info.size, info.cache_control) == ("abc", len(BODY), CACHING)
    ((path, headers),) = server.requests
    assert path == "/bucket/some/prefix/live/a/master.m3u8"
    assert not by_boto3(headers)
    assert headers["content-type"] == TYPE
    assert headers["cache-control"] == CACHING
    assert headers["x-amz-content-sha256"] == sha256(BODY).hexdigest()
    assert headers["x-amz-security-token"] == "token"
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "cache-control;content-type;host;" in headers["authorization"]


async def test_a_failed_put_is_repeated_with_boto3(server: Server, store: S3Store) -> None:
    server.statuses = [503, 200]
    info = await put(store)
    assert info.etag == "abc"
    assert [by_boto3(headers) for _, headers in server.requests] == [False, True]


async def test_the_error_is_that_of_boto3(server: Server, store: S3Store) -> None:
    server.statuses = [503]
    with pytest.raises(StoreUnavailable):
        await put(store)


async def test_a_conditional_put_uses_boto3(server: Server, store: S3Store) -> None:
    server.statuses = [412]
    with pytest.raises(PreconditionFailed):
        await put(store, new=True)
    ((_, headers),) = server.requests
    assert by_boto3(headers)
    assert headers["if-none-match"] == "*"


SIGNED = "AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("url", "bucket", "base"),
    [
        ("http://minio:9000/b/some/key", "b", "http://minio:9000/b/"),
        ("https://b-1.s3.eu-west-1.amazonaws.com/some/key", "b-1", "https://b-1.s3.eu-west-1.amazonaws.com/"),
        ("https://b-1.s3.eu-west-1.amazonaws.com/b-1/key", "b-1", "https://b-1.s3.eu-west-1.amazonaws.com/"),
        ("https://s3.eu-west-1.amazonaws.com/my.b/key", "my.b", "https://s3.eu-west-1.amazonaws.com/my.b/"),
    ],
)
def test_the_target_follows_from_boto3s_request(url: str, bucket: str, base: str) -> None:
    assert target_of(url, SIGNED, bucket) == PutTarget(base, "eu-west-1")


@pytest.mark.parametrize("kind", ["", SIGNED.replace("/s3/", "/s3express/"), SIGNED.replace("AWS4", "AWS4-ECDSA")])
def test_other_signatures_have_no_direct_target(kind: str) -> None:
    assert target_of("http://minio:9000/b/key", kind, "b") is None
