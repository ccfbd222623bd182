"""The contract of an object store, through which all durable bytes pass."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from media.errors import HeadwaterError

MAX_DELETED = 1000
"""Objects that one call of ``delete_many`` deletes, as S3's DeleteObjects."""


class StorageError(HeadwaterError):
    """Base of a store's errors. ``retryable``: the same call may succeed later."""

    code: ClassVar[str] = "storage"
    retryable: ClassVar[bool] = False


class ObjectNotFound(StorageError):
    code: ClassVar[str] = "object-not-found"


class PreconditionFailed(StorageError):
    """Another writer was first (``If-None-Match``, ``If-Match``)."""

    code: ClassVar[str] = "precondition-failed"


class StoreMisconfigured(StorageError):
    """The store cannot work with its configuration; the text explains what to change."""

    code: ClassVar[str] = "store-misconfigured"


class StoreUnavailable(StorageError):
    """The store is unreachable or failing; try again later."""

    code: ClassVar[str] = "store-unavailable"
    retryable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """``etag`` is opaque and without quotes; ``modified`` is seconds since the Unix epoch."""

    key: str
    size: int
    etag: str
    modified: float
    content_type: str = "application/octet-stream"
    cache_control: str | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    info: ObjectInfo
    body: bytes


class ObjectStore(Protocol):
    """Keys are relative to the store's prefix, with ``/`` between parts and none at either end."""

    async def check(self) -> None:
        """Test that the store can be written and read. Raises StoreMisconfigured, StoreUnavailable."""
        ...

    async def identify(self) -> str:
        """The store's random id, which the first call creates (:mod:`storage.identity`). Another id than before
        means that the store was emptied or made again. Raises StoreMisconfigured, StoreUnavailable."""
        ...

    async def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> ObjectInfo:
        """Write the object atomically, with the headers that :mod:`storage.content` derives from ``key``.

        ``if_none_match``: only if no object has this key; ``if_match``: only over the object with this ETag. Raises
        PreconditionFailed, StoreMisconfigured, StoreUnavailable.
        """
        ...

    async def get(self, key: str) -> StoredObject:
        """Raises ObjectNotFound, StoreMisconfigured, StoreUnavailable."""
        ...

    async def head(self, key: str) -> ObjectInfo:
        """Raises ObjectNotFound, StoreMisconfigured, StoreUnavailable."""
        ...

    async def delete(self, key: str) -> None:
        """Succeeds if the object does not exist."""
        ...

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Delete up to MAX_DELETED objects; succeeds for those that do not exist. If it fails, it may have deleted
        some. It runs apart from ``put``, so that it never delays an upload. Raises StoreMisconfigured,
        StoreUnavailable."""
        ...

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Objects whose key starts with ``prefix``, in the order of their keys. A few S3 servers sort directory by
        directory, so rely on the order within one directory only."""
        ...

    async def close(self) -> None: ...
