"""How a PUT is sent: directly, or with boto3's client if the direct request fails."""

import threading
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from storage import PreconditionFailed, StoreUnavailable
from storage.interface import ObjectInfo
from storage.s3 import S3Store
from storage.s3_client import S3Options, make_client, make_session
from storage.s3_put import PutTarget, put_target

ANSWER = AWSResponse("", 200, {}, SimpleNamespace(stream=lambda: []))  # type: ignore[arg-type]
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
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    store = S3Store("bucket", "some/prefix", S3Options(endpoint=f"http://127.0.0.1:{server.server_port}"))
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


@pytest.mark.parametrize("path", ["/", "/gate/s3", "/gate/s3/"])
async def test_an_endpoint_with_a_path_gets_one_request(server: Server, store: S3Store, path: str) -> None:
    behind = S3Store("bucket", "some/prefix", S3Options(endpoint=f"http://127.0.0.1:{server.server_port}{path}"))
    await put(behind)
    await behind.close()
    ((target, headers),) = server.requests
    assert target == f"{path.rstrip('/')}/bucket/some/prefix/live/a/master.m3u8"
    assert not by_boto3(headers)


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


AWS = "https://b-1.s3.eu-west-3.amazonaws.com/"


@pytest.mark.parametrize(
    ("endpoint", "path_style", "bucket", "url"),
    [
        ("http://127.0.0.1:9000", None, "b-1", "http://127.0.0.1:9000/b-1/"),
        ("http://127.0.0.1:9000", False, "b-1", "http://127.0.0.1:9000/b-1/"),
        ("http://127.0.0.1:9000/", None, "b-1", "http://127.0.0.1:9000/b-1/"),
        ("http://127.0.0.1:9000/gate/s3", None, "b-1", "http://127.0.0.1:9000/gate/s3/b-1/"),
        ("https://media.example.org", None, "media", "https://media.example.org/media/"),
        ("https://media.example.org", False, "media", "https://media.media.example.org/"),
        ("https://media.example.org/s3", False, "media", "https://media.media.example.org/s3/"),
        ("https://example.org", False, "my.media", "https://example.org/my.media/"),
        ("http://example.org", False, "my.media", "http://my.media.example.org/"),
        ("https://media.s3.example.org", True, "media", "https://media.s3.example.org/media/"),
        (None, None, "b-1", AWS),
        (None, False, "b-1", AWS),
        (None, True, "b-1", "https://s3.eu-west-3.amazonaws.com/b-1/"),
        (None, None, "my.b", "https://s3.eu-west-3.amazonaws.com/my.b/"),
        ("https://s3.eu-west-3.amazonaws.com", False, "b-1", AWS),
        ("https://s3.eu-west-3.amazonaws.com", None, "b-1", "https://s3.eu-west-3.amazonaws.com/b-1/"),
    ],
)
def test_the_target_is_the_clients_own_url(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None, path_style: bool | None, bucket: str, url: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    options = S3Options(endpoint=endpoint, region="eu-west-3", path_style=path_style)
    client = make_client(make_session(), options)
    assert put_target(client, bucket) == PutTarget(url, "eu-west-3")
    sent: list[str] = []

    def answer(request: AWSPreparedRequest, **_: object) -> Any:
        sent.append(request.url or "")
        return ANSWER

    client.meta.events.register("before-send.s3.PutObject", answer)
    client.put_object(Bucket=bucket, Key="some/key.m4s", Body=b"x")
    assert sent == [f"{url}some/key.m4s"]


def test_other_signatures_have_no_direct_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = make_client(make_session(), S3Options(region="eu-west-3"))

    def choose(**_: object) -> Any:
        return "s3"

    client.meta.events.register("choose-signer.s3.PutObject", choose)
    assert put_target(client, "b-1") is None
