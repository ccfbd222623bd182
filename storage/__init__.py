"""The seam for what lasts: an object store on a directory or on S3, and what Headwater keeps in it.

:class:`ObjectStore` is what the roles are written against; :func:`storage.open.open_store` makes one.
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
