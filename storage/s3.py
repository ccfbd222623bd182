"""The object store on S3 or a compatible server, through boto3 in dedicated threads.

A store has one client: boto3 clients are thread-safe and expensive to create. Credentials come from boto3's own
chain (environment, shared files, container and instance roles). Unconditional puts (media and playlists) bypass the
client if possible (:mod:`storage.s3_put`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError, ResponseStreamingError
from botocore.parsers import ResponseParserError

from storage import content
from storage.identity import read_or_create_identity
from storage.interface import MAX_DELETED, ObjectInfo, ObjectNotFound, StoredObject, StoreMisconfigured
from storage.object_keys import is_key, is_key_prefix, require_key, require_possible
from storage.probe import probe
from storage.s3_answers import etag_of, info_of, listed, next_page, require_no_error
from storage.s3_batch import delete_batch
from storage.s3_client import S3Options, make_client, make_session
from storage.s3_errors import Place, translated, wrong_region
from storage.s3_lifecycle import MARK, apply_rules, describe, read_rules, wanted_rules
from storage.s3_put import PlainPut
from storage.threads import Threads

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import (
        ListObjectsV2OutputTypeDef,
        ListObjectsV2RequestTypeDef,
        PutObjectRequestTypeDef,
    )

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connection:
    """The boto3 client of a store, and the faster way for unconditional puts."""

    client: S3Client
    put: PlainPut


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """``rules`` are Headwater's in words, ``missing`` those that the bucket lacks; ``others`` is how many rules
    somebody else has set."""

    rules: tuple[str, ...]
    missing: tuple[str, ...]
    others: int


class S3Store:
    """:class:`storage.interface.ObjectStore` in a bucket, below ``prefix`` (no ``/`` at either end, may be empty).

    Opens no connection before the first call.
    """

    def __init__(self, bucket: str, prefix: str = "", options: S3Options | None = None) -> None:
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""
        self._options = options = options or S3Options()
        self._place = Place(bucket, prefix, options.endpoint)
        # Apart, so that viewers' reads never delay an upload.
        self._readers = Threads("store-read", options.connections)
        self._writers = Threads("store-write", options.connections)
        self._deleters = Threads("store-delete", 1)
        self._connecting = threading.Lock()
        self._connection: Connection | None = None

    async def check(self) -> None:
        await self._read("", self._require_region)
        await probe(self)
        await self.identify()

    async def identify(self) -> str:
        return await read_or_create_identity(self)

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
            if not if_match:
                raise StoreMisconfigured(f"{self._place} sends no ETag for {key}, so it cannot be replaced safely")
            request["IfMatch"] = f'"{if_match}"'
        plain = not if_none_match and if_match is None
        return ObjectInfo(
            key=key,
            size=len(body),
            etag=await self._write(key, lambda s3: _put(s3, request, body, plain=plain)),
            modified=time.time(),
            content_type=request["ContentType"],
            cache_control=request["CacheControl"],
        )

    async def get(self, key: str) -> StoredObject:
        require_possible(key)
        return await self._read(key, lambda s3: self._get_twice(s3.client, key))

    async def head(self, key: str) -> ObjectInfo:
        require_possible(key)
        answer = await self._read(key, lambda s3: s3.client.head_object(Bucket=self._bucket, Key=self._root + key))
        size: int | None = answer.get("ContentLength")
        return info_of(key, answer, size) if size is not None else (await self.get(key)).info

    async def delete(self, key: str) -> None:
        if is_key(key):
            with contextlib.suppress(ObjectNotFound):
                await self._write(
                    key, lambda s3: s3.client.delete_object(Bucket=self._bucket, Key=self._root + key)
                )

    async def delete_many(self, keys: Sequence[str]) -> None:
        assert len(keys) <= MAX_DELETED
        full = [self._root + key for key in keys if is_key(key)]
        if full:
            await self._deleters.run(lambda: self._call("", lambda s3: delete_batch(s3.client, self._bucket, full)))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Reads pages of 1000."""
        if not is_key_prefix(prefix):
            return
        first: ListObjectsV2RequestTypeDef = {"Bucket": self._bucket, "Prefix": self._root + prefix}
        request: ListObjectsV2RequestTypeDef | None = first
        while request is not None:
            page = await self._read(prefix, _list_page(request))
            for info in listed(page, self._root):
                yield info
            request = next_page(request, page, self._place)

    async def lifecycle(self, max_age_s: float | None, *, apply: bool = False) -> Lifecycle:
        """The bucket's lifecycle rules, and those that suit a retention of ``max_age_s``; ``apply`` sets these.
        Raises StoreMisconfigured, StoreUnavailable."""
        rules = wanted_rules(self._root, max_age_s)
        if apply:
            await self._write("", lambda s3: apply_rules(s3.client, self._bucket, self._root, rules))
        present = await self._read("", lambda s3: read_rules(s3.client, self._bucket))
        ids = {rule.get("ID") for rule in present}
        return Lifecycle(
            rules=tuple(describe(rule) for rule in rules),
            missing=tuple(describe(rule) for rule in rules if rule["ID"] not in ids),
            others=sum(not str(rule.get("ID", "")).startswith(MARK) for rule in present),
        )

    async def close(self) -> None:
        await self._readers.close()
        await self._writers.close()
        await self._deleters.close()
        if self._connection is not None:
            self._connection.put.close()
            self._connection.client.close()

    async def _read(self, key: str, call: Callable[[Connection], T]) -> T:
        return await self._readers.run(lambda: self._call(key, call))

    async def _write(self, key: str, call: Callable[[Connection], T]) -> T:
        return await self._writers.run(lambda: self._call(key, call))

    def _call(self, key: str, call: Callable[[Connection], T]) -> T:
        try:
            return call(self._connected())
        except (BotoCoreError, ClientError, ResponseParserError, ValueError) as error:
            raise translated(error, self._place, key) from error

    def _connected(self) -> Connection:
        with self._connecting:
            if self._connection is None:
                session = make_session()
                client = make_client(session, self._options)
                self._connection = Connection(client, PlainPut(client, session, self._bucket, self._options))
            return self._connection

    def _get_twice(self, client: S3Client, key: str) -> StoredObject:
        """The client repeats only requests whose answers have not begun."""
        try:
            return self._get(client, key)
        except (ResponseStreamingError, IncompleteReadError):
            return self._get(client, key)

    def _get(self, client: S3Client, key: str) -> StoredObject:
        answer = client.get_object(Bucket=self._bucket, Key=self._root + key)
        with contextlib.closing(answer["Body"]) as body:
            found = body.read()
        require_no_error(found, self._place)
        return StoredObject(info_of(key, answer, len(found)), found)

    def _require_region(self, s3: Connection) -> None:
        """Raises StoreMisconfigured for another region, where boto3 would be redirected with each request."""
        answer = s3.client.list_objects_v2(Bucket=self._bucket, Prefix=self._root, MaxKeys=1)
        actual = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
        if actual and actual != s3.client.meta.region_name:
            raise wrong_region(self._place, actual)


def _list_page(request: ListObjectsV2RequestTypeDef) -> Callable[[Connection], ListObjectsV2OutputTypeDef]:
    return lambda s3: s3.client.list_objects_v2(**request)


def _put(s3: Connection, request: PutObjectRequestTypeDef, body: bytes, *, plain: bool) -> str:
    """Returns the ETag of the new object, empty if the server sends none."""
    etag = s3.put(request, body) if plain else None
    return etag_of(s3.client.put_object(**request)) if etag is None else etag
