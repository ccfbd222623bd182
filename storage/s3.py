"""The object store on S3 or a compatible server, through boto3 in dedicated threads.

A store has one client: boto3 clients are thread-safe and expensive to create. Credentials come from boto3's own
chain (environment, shared files, container and instance roles). Unconditional puts (media and playlists) bypass the
client if possible (:mod:`storage.s3_put`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from storage import content
from storage.interface import ObjectInfo, ObjectNotFound, StoredObject
from storage.object_keys import is_key, is_key_prefix, require_key, require_possible
from storage.probe import probe
from storage.s3_client import S3Options, make_client, make_session
from storage.s3_errors import Place, translated, wrong_region
from storage.s3_put import PlainPut
from storage.threads import Threads

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        HeadObjectOutputTypeDef,
        ListObjectsV2RequestTypeDef,
        ObjectTypeDef,
        PutObjectRequestTypeDef,
    )

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connection:
    """The boto3 client of a store, and the faster way for unconditional puts."""

    client: S3Client
    put: PlainPut


class S3Store:
    """:class:`storage.interface.ObjectStore` in a bucket, below ``prefix`` (no ``/`` at either end, may be empty).

    Opens no connection before the first call.
    """

    def __init__(self, bucket: str, prefix: str = "", options: S3Options | None = None) -> None:
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""
        self._options = options = options or S3Options()
        self._place = Place(bucket, prefix, options.endpoint)
        self._threads = Threads("store-s3", options.connections)
        self._connecting = threading.Lock()
        self._connection: Connection | None = None

    async def check(self) -> None:
        await self._run("", self._require_region)
        await probe(self)

    async def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> ObjectInfo:
        require_key(key)
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": self._root + key,
            "Body": body,
            "ContentType": content.content_type(key),
            "CacheControl": content.cache_control(key),
        }
        if if_none_match:
            request["IfNoneMatch"] = "*"
        if if_match is not None:
            request["IfMatch"] = f'"{if_match}"'
        plain = not if_none_match and if_match is None
        return ObjectInfo(
            key=key,
            size=len(body),
            etag=await self._run(key, lambda s3: _put(s3, request, body, plain=plain)),
            modified=time.time(),
            content_type=request["ContentType"],
            cache_control=request["CacheControl"],
        )

    async def get(self, key: str) -> StoredObject:
        require_possible(key)
        return await self._run(key, lambda s3: self._get(s3.client, key))

    async def head(self, key: str) -> ObjectInfo:
        require_possible(key)
        answer = await self._run(key, lambda s3: s3.client.head_object(Bucket=self._bucket, Key=self._root + key))
        return _info(key, answer)

    async def delete(self, key: str) -> None:
        if is_key(key):
            with contextlib.suppress(ObjectNotFound):
                await self._run(key, lambda s3: s3.client.delete_object(Bucket=self._bucket, Key=self._root + key))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Reads pages of 1000. The content types follow from the keys, because listings do not contain the stored
        ones."""
        if not is_key_prefix(prefix):
            return
        request: ListObjectsV2RequestTypeDef = {"Bucket": self._bucket, "Prefix": self._root + prefix}
        while True:
            page = await self._run(prefix, lambda s3: s3.client.list_objects_v2(**request))
            for listed in page.get("Contents", ()):
                key = listed["Key"].removeprefix(self._root)
                if is_key(key):
                    yield _listed(key, listed)
            if not page["IsTruncated"]:
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    async def close(self) -> None:
        await self._threads.close()
        if self._connection is not None:
            self._connection.put.close()
            self._connection.client.close()

    async def _run(self, key: str, call: Callable[[Connection], T]) -> T:
        return await self._threads.run(lambda: self._call(key, call))

    def _call(self, key: str, call: Callable[[Connection], T]) -> T:
        try:
            return call(self._connected())
        except (BotoCoreError, ClientError, ValueError) as error:
            raise translated(error, self._place, key) from error

    def _connected(self) -> Connection:
        with self._connecting:
            if self._connection is None:
                session = make_session()
                client = make_client(session, self._options)
                self._connection = Connection(client, PlainPut(client, session, self._bucket, self._options))
            return self._connection

    def _get(self, client: S3Client, key: str) -> StoredObject:
        answer = client.get_object(Bucket=self._bucket, Key=self._root + key)
        with contextlib.closing(answer["Body"]) as body:
            return StoredObject(_info(key, answer), body.read())

    def _require_region(self, s3: Connection) -> None:
        """Raises StoreMisconfigured for another region, where boto3 would be redirected with each request."""
        answer = s3.client.list_objects_v2(Bucket=self._bucket, Prefix=self._root, MaxKeys=1)
        actual = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
        if actual and actual != s3.client.meta.region_name:
            raise wrong_region(self._place, actual)


def _put(s3: Connection, request: PutObjectRequestTypeDef, body: bytes, *, plain: bool) -> str:
    """Returns the ETag of the new object."""
    etag = s3.put(request, body) if plain else None
    return etag or s3.client.put_object(**request)["ETag"].strip('"')


def _info(key: str, answer: GetObjectOutputTypeDef | HeadObjectOutputTypeDef) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=answer["ContentLength"],
        etag=answer["ETag"].strip('"'),
        modified=answer["LastModified"].timestamp(),
        content_type=answer.get("ContentType", content.DEFAULT_TYPE),
        cache_control=answer.get("CacheControl"),
    )


def _listed(key: str, listed: ObjectTypeDef) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=listed["Size"],
        etag=listed["ETag"].strip('"'),
        modified=listed["LastModified"].replace(microsecond=0).timestamp(),
        content_type=content.content_type(key),
        cache_control=content.cache_control(key),
    )
