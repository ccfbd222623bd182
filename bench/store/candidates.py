"""The compared clients, which put objects from one event loop as a broadcast's upload queue does."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import urllib3

from storage.content import content_type
from storage.directory import DirectoryStore
from storage.interface import ObjectStore
from storage.s3 import S3Store
from storage.s3_client import S3Options, make_client, make_session
from storage.threads import Threads
from tests.lab.errors import LabError
from tests.lab.s3_account import S3Account

OURS, BOTO3, SDK, PRESIGNED = "S3Store", "boto3's client", "minio SDK", "presigned PUT"
DIRECTORY, SYNCED = "DirectoryStore", "DirectoryStore, fsync"
CONNECTIONS = S3Options().connections
BUCKET = "headwater-bench"

Put = Callable[[str, bytes], Awaitable[object]]
# The argument is all keys, because URLs are presigned before the measurement.
Candidate = Callable[[tuple[str, ...]], AbstractAsyncContextManager[Put]]


def on_server(server: S3Account) -> dict[str, Candidate]:
    return {
        OURS: lambda _: s3_put(server),
        BOTO3: lambda _: _boto3(server),
        SDK: lambda _: _sdk(server),
        PRESIGNED: lambda keys: _presigned(server, keys),
    }


def on_disk(root: Path) -> dict[str, Candidate]:
    return {
        DIRECTORY: lambda _: _put_into(DirectoryStore(root)),
        SYNCED: lambda _: _put_into(DirectoryStore(root, fsync=True)),
    }


def s3_store(server: S3Account) -> S3Store:
    """The store as `headwater serve` opens it; it reads its credentials from the environment at the first call."""
    return S3Store(BUCKET, "bench", _options(server))


def _options(server: S3Account) -> S3Options:
    return S3Options(endpoint=server.endpoint, region=server.region)


@asynccontextmanager
async def s3_put(server: S3Account) -> AsyncIterator[Put]:
    with patch.dict(os.environ, server.environment):
        async with _put_into(s3_store(server)) as put:
            yield put


@asynccontextmanager
async def _put_into(store: ObjectStore) -> AsyncIterator[Put]:
    async def put(key: str, body: bytes) -> object:
        return await store.put(key, body)

    try:
        yield put
    finally:
        await store.close()


@asynccontextmanager
async def _boto3(server: S3Account) -> AsyncIterator[Put]:
    """The store's boto3 client, used for every object."""
    threads = Threads("bench-boto3", CONNECTIONS)
    with patch.dict(os.environ, server.environment):
        client = make_client(make_session(), _options(server))
        try:
            yield lambda key, body: threads.run(
                lambda: client.put_object(
                    Bucket=BUCKET,
                    Key=f"bench/{key}",
                    Body=body,
                    ContentType=content_type(key),
                    CacheControl="public, max-age=1",
                )
            )
        finally:
            await threads.close()
            client.close()


@asynccontextmanager
async def _sdk(server: S3Account) -> AsyncIterator[Put]:
    threads = Threads("bench-sdk", CONNECTIONS)
    with urllib3.PoolManager(maxsize=CONNECTIONS) as pool:
        client = server.sdk(pool)

        async def put(key: str, body: bytes) -> object:
            return await threads.run(
                lambda: client.put_object(
                    bucket_name=BUCKET,
                    object_name=f"bench/{key}",
                    data=BytesIO(body),
                    length=len(body),
                    content_type=content_type(key),
                )
            )

        try:
            yield put
        finally:
            await threads.close()


@asynccontextmanager
async def _presigned(server: S3Account, keys: tuple[str, ...]) -> AsyncIterator[Put]:
    """PUTs to presigned URLs: nothing is signed or hashed during the measurement, so this is the cost of HTTP."""
    threads = Threads("bench-presigned", CONNECTIONS)
    sign = partial(server.sdk().presigned_put_object, bucket_name=BUCKET, expires=timedelta(hours=1))
    urls = {key: sign(object_name=f"bench/{key}") for key in keys}
    with urllib3.PoolManager(maxsize=CONNECTIONS) as pool:

        def send(key: str, body: bytes) -> None:
            answer = pool.request("PUT", urls[key], body=body, headers={"Content-Type": content_type(key)})
            if answer.status != 200:
                raise LabError(f"MinIO does not take a presigned PUT: {answer.status}")

        try:
            yield lambda key, body: threads.run(lambda: send(key, body))
        finally:
            await threads.close()
