"""The S3 backend with a real server: its objects as other clients see them, and its error messages."""

import asyncio
import json
import re
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

from storage import ObjectNotFound, StoreMisconfigured, StoreUnavailable
from storage.content import IMMUTABLE, SHORT
from storage.identity import KEY as IDENTITY
from storage.location import BucketLocation
from storage.open import open_store
from storage.s3 import S3Store
from storage.s3_client import S3Options
from tests.lab.ports import free_port
from tests.lab.s3server import S3Server, running_s3_server

PREFIX = "some/prefix"
SEGMENT = "live/a/20261121t104105z-ab12cd/v720p/1.m4s"
PLAYLIST = "live/a/master.m3u8"
DOCUMENT = Path(__file__).parents[2] / "docs" / "storage.md"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with running_s3_server() as server:
        yield server


@pytest.fixture(scope="module")
def strict_server(server: S3Server) -> S3Server:
    if server.is_moto:
        pytest.skip("needs MinIO: moto checks no credentials")
    return server


@pytest.fixture
def bucket(server: S3Server) -> Iterator[str]:
    with server.bucket() as name:
        yield name


@pytest.fixture(autouse=True)
def _credentials(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def opened(server: S3Server, bucket: str, **options: Any) -> AsyncIterator[S3Store]:
    given: dict[str, Any] = {"endpoint": server.endpoint, "region": server.region, "connect_timeout": 2.0} | options
    store = open_store(BucketLocation(bucket, PREFIX), S3Options(**given))
    assert isinstance(store, S3Store)
    try:
        yield store
    finally:
        await store.close()


async def put(store: S3Store, key: str, body: bytes) -> None:
    await store.put(key, body)


def policies(bucket: str) -> list[dict[str, Any]]:
    """The policies in docs/storage.md, in their order."""
    text = DOCUMENT.read_text().replace("BUCKET", bucket).replace("PREFIX", PREFIX)
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    return [block for block in blocks if isinstance(block, dict)]


@asynccontextmanager
async def as_user(server: S3Server, policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Use the credentials of a user that has only this policy."""
    url, name, secret = urlsplit(server.endpoint), f"user-{secrets.token_hex(4)}", secrets.token_hex(16)
    credentials = StaticProvider(server.access_key, server.secret_key)
    admin = MinioAdmin(
        endpoint=url.netloc, credentials=credentials, region=server.region, secure=url.scheme == "https"
    )
    admin.user_add(name, secret)
    admin.policy_add(name, policy=policy)
    admin.policy_set(name, user=name)
    try:
        with monkeypatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", name)
            patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
            yield
    finally:
        admin.user_remove(name)
        admin.policy_remove(name)


async def test_another_client_can_read_a_put_object(server: S3Server, bucket: str) -> None:
    body = bytes(range(256)) * 4096
    async with opened(server, bucket) as store:
        await put(store, SEGMENT, body)
        await put(store, PLAYLIST, b"#EXTM3U\n")
    sdk = server.sdk()
    names = [found.object_name for found in sdk.list_objects(bucket_name=bucket, recursive=True)]
    assert names == [f"{PREFIX}/{SEGMENT}", f"{PREFIX}/{PLAYLIST}"]
    answer = sdk.get_object(bucket_name=bucket, object_name=f"{PREFIX}/{SEGMENT}")
    try:
        assert answer.read() == body
        assert answer.headers["Content-Type"] == "video/iso.segment"
        assert answer.headers["Cache-Control"] == IMMUTABLE
    finally:
        answer.close()
        answer.release_conn()
    status = sdk.stat_object(bucket_name=bucket, object_name=f"{PREFIX}/{PLAYLIST}")
    assert status.content_type == "application/vnd.apple.mpegurl"
    assert status.metadata is not None and status.metadata["Cache-Control"] == SHORT


async def test_another_clients_object_can_be_read(server: S3Server, bucket: str) -> None:
    sdk = server.sdk()
    sdk.put_object(
        bucket_name=bucket,
        object_name=f"{PREFIX}/live/a.m4s",
        data=BytesIO(b"theirs"),
        length=6,
        content_type="text/plain",
    )
    sdk.put_object(bucket_name=bucket, object_name="live/a.m4s", data=BytesIO(b"outside"), length=7)
    sdk.put_object(bucket_name=bucket, object_name=f"{PREFIX}/odd name", data=BytesIO(b"odd"), length=3)
    async with opened(server, bucket) as store:
        found = await store.get("live/a.m4s")
        assert (found.body, found.info.content_type, found.info.cache_control) == (b"theirs", "text/plain", None)
        assert [info.key async for info in store.list("")] == ["live/a.m4s"]


async def test_a_store_without_a_prefix(server: S3Server, bucket: str) -> None:
    store = open_store(BucketLocation(bucket), S3Options(endpoint=server.endpoint, region=server.region))
    await store.check()
    await store.put("a", b"x")
    assert [info.key async for info in store.list("")] == ["a", IDENTITY]
    await store.close()


async def test_a_missing_bucket_is_reported(server: S3Server) -> None:
    name = f"headwater-missing-{secrets.token_hex(4)}"
    async with opened(server, name) as store:
        with pytest.raises(StoreMisconfigured, match=f"no bucket {name} at {server.endpoint}: create it"):
            await store.check()
        with pytest.raises(StoreMisconfigured, match="no bucket"):
            await put(store, SEGMENT, b"x")


async def test_a_wrong_region_is_reported(strict_server: S3Server, bucket: str) -> None:
    async with opened(strict_server, bucket, region="ap-south-1") as store:
        with pytest.raises(StoreMisconfigured, match=f"set the region to {strict_server.region}"):
            await store.check()


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "unknown", "InvalidAccessKeyId"),
    ],
)
async def test_wrong_credentials_are_reported(
    strict_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: str
) -> None:
    monkeypatch.setenv(variable, value)
    async with opened(strict_server, bucket) as store:
        with pytest.raises(StoreMisconfigured, match=rf"does not accept the credentials: .*\({code}\)"):
            await store.check()


async def test_missing_credentials_are_reported(
    server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with opened(server, bucket) as store:
        with pytest.raises(StoreMisconfigured, match=r"no credentials .* set AWS_ACCESS_KEY_ID"):
            await store.check()


async def test_an_unreachable_endpoint_is_reported(server: S3Server) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    async with opened(server, "bucket", endpoint=endpoint) as store:
        with pytest.raises(StoreUnavailable, match=f"{endpoint} cannot be reached"):
            await store.check()


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "http://", "nonsense"])
async def test_an_endpoint_that_is_not_a_url_is_refused(server: S3Server, endpoint: str) -> None:
    async with opened(server, "bucket", endpoint=endpoint) as store:
        with pytest.raises(StoreMisconfigured, match="settings"):
            await store.check()


async def test_https_to_a_plain_http_server_is_reported(server: S3Server) -> None:
    endpoint = server.endpoint.replace("http://", "https://")
    async with opened(server, "bucket", endpoint=endpoint) as store:
        with pytest.raises(StoreMisconfigured, match="http:// if the server speaks plain HTTP"):
            await store.check()


async def test_the_documented_policy_is_sufficient(
    strict_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, _ = policies(bucket)
    async with as_user(strict_server, own, monkeypatch), opened(strict_server, bucket) as store:
        await store.check()
        with pytest.raises(ObjectNotFound):
            await store.get(SEGMENT)


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
async def test_a_missing_permission_is_named(
    strict_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    policy = deepcopy(policies(bucket)[0])
    for statement in policy["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each != action] or ["s3:GetBucketLocation"]
    async with as_user(strict_server, policy, monkeypatch), opened(strict_server, bucket) as store:
        with pytest.raises(StoreMisconfigured, match=f"access denied to s3://{bucket}/{PREFIX} .*allow {action}"):
            await store.check()


async def test_the_public_can_read_only_live(strict_server: S3Server, bucket: str) -> None:
    _, public = policies(bucket)
    strict_server.sdk().set_bucket_policy(bucket_name=bucket, policy=json.dumps(public))
    async with opened(strict_server, bucket) as store:
        await put(store, SEGMENT, b"0123456789")
        await put(store, "catalogue/streams/a.json", b"{}")
    base = f"{strict_server.endpoint}/{bucket}/{PREFIX}"
    async with httpx.AsyncClient() as client:
        page = "https://page.example"
        answer = await client.get(f"{base}/{SEGMENT}", headers={"Range": "bytes=2-4", "Origin": page})
        assert (answer.status_code, answer.content) == (206, b"234")
        assert answer.headers["Content-Type"] == "video/iso.segment"
        assert answer.headers["Cache-Control"] == IMMUTABLE
        assert answer.headers["Access-Control-Allow-Origin"] in (page, "*")
        assert (await client.get(f"{base}/catalogue/streams/a.json")).status_code == 403
        assert (await client.get(f"{strict_server.endpoint}/{bucket}/?list-type=2")).status_code == 403


async def test_there_are_at_most_as_many_writers_as_connections(server: S3Server, bucket: str) -> None:
    async with opened(server, bucket, connections=3) as store:
        await asyncio.gather(*(put(store, f"live/{number}.m4s", b"x" * 1000) for number in range(30)))
        workers = [thread for thread in threading.enumerate() if thread.name.startswith("store-write")]
        assert 1 <= len(workers) <= 3
        assert len([info async for info in store.list("live/")]) == 30
