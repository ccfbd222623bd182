"""Durable state: an object store on a directory or on S3, and Headwater's records in it.

The roles use :class:`ObjectStore`; :func:`storage.open.open_store` returns one.
"""

from storage.interface import (
    ObjectInfo,
    ObjectNotFound,
    ObjectStore,
    PreconditionFailed,
    StorageError,
    StoredObject,
    StoreMisconfigured,
    StoreUnavailable,
)

__all__ = [
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "PreconditionFailed",
    "StorageError",
    "StoreMisconfigured",
    "StoreUnavailable",
    "StoredObject",
]
