"""Opens the store at a location."""

from storage.directory import DirectoryStore
from storage.interface import ObjectStore
from storage.location import BucketLocation, StoreLocation
from storage.s3_client import S3Options


def open_store(location: StoreLocation, options: S3Options, *, fsync: bool = False) -> ObjectStore:
    """Uses neither disk nor network: call ``check()`` next. ``fsync`` applies to a directory only."""
    if isinstance(location, BucketLocation):
        # Imported late: without boto3, a server on a directory starts faster and needs less memory.
        from storage.s3 import S3Store

        return S3Store(location.bucket, location.prefix, options)
    return DirectoryStore(location.path, fsync=fsync)
