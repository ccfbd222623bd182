"""Every object lands in the store's bucket, however the bucket is addressed, with real S3 servers."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from storage.s3 import S3Store
from storage.s3_client import S3Options
from tests.lab.minio import minio, missing
from tests.lab.s3_account import S3Account
from tests.lab.s3server import moto

DOMAIN = "example.test"
PREFIX = "some/prefix"
# The first part of the prefix is a bucket too, so that an object at a wrong address is stored and not refused.
OTHER = "some"
KEYS = [f"live/a/20261121t104105z-ab12cd/v720p/{number}.m4s" for number in range(5)]


@pytest.fixture(autouse=True)
def _hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The domain and the hosts below it are this machine."""
    real = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        here = isinstance(host, str) and f".{host}".endswith(f".{DOMAIN}")
        return real("127.0.0.1" if here else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, S3Account]]:
    if reason := missing():
        pytest.skip(reason)
    with ExitStack() as stack:
        yield {
            "minio": stack.enter_context(minio()).account,
            "minio with hosts": stack.enter_context(minio(domain=DOMAIN)).account,
            "moto": stack.enter_context(moto()),
        }


@pytest.fixture
async def account(
    request: pytest.FixtureRequest, accounts: dict[str, S3Account], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[S3Account]:
    account = accounts[request.param]
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    yield account
    sdk = account.sdk()
    for bucket in sdk.list_buckets():
        for found in sdk.list_objects(bucket_name=bucket.name, recursive=True):
            assert found.object_name is not None
            sdk.remove_object(bucket_name=bucket.name, object_name=found.object_name)
        sdk.remove_bucket(bucket_name=bucket.name)


@pytest.mark.parametrize(
    ("account", "host", "path_style", "bucket"),
    [
        ("minio", "media.example.test", None, "media"),
        ("minio", "media.example.test", True, "media"),
        ("minio", "127.0.0.1", None, "media"),
        ("minio", "127.0.0.1", False, "media"),
        ("minio", "my.media.example.test", None, "my.media"),
        ("minio with hosts", "example.test", False, "media"),
        ("minio with hosts", "example.test", None, "media"),
        ("minio with hosts", "example.test", False, "my.media"),
        ("moto", "127.0.0.1", None, "media"),
        ("moto", "example.test", False, "media"),
    ],
    indirect=["account"],
)
async def test_all_objects_are_in_the_bucket(
    account: S3Account, host: str, path_style: bool | None, bucket: str
) -> None:
    sdk = account.sdk()
    for name in (bucket, OTHER):
        sdk.make_bucket(bucket_name=name)
    endpoint = account.endpoint.replace("127.0.0.1", host)
    store = S3Store(bucket, PREFIX, S3Options(endpoint=endpoint, region=account.region, path_style=path_style))
    await store.check()
    for key in KEYS:
        await store.put(key, b"media")
        assert (await store.get(key)).body == b"media"
    await store.close()
    found = [
        each.object_name for each in sdk.list_objects(bucket_name=bucket, prefix=f"{PREFIX}/live/", recursive=True)
    ]
    assert found == [f"{PREFIX}/{key}" for key in KEYS]
    assert list(sdk.list_objects(bucket_name=OTHER, recursive=True)) == []
