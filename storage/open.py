"""A store from the one word an operator writes: a directory, or ``s3://BUCKET/PREFIX``."""

import re
from pathlib import Path
from typing import ClassVar

from storage.directory import DirectoryStore
from storage.interface import ObjectStore, StoreMisconfigured
from storage.object_keys import is_key
from storage.s3_client import S3Options

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class BadLocation(StoreMisconfigured):
    """The location names no store."""

    code: ClassVar[str] = "bad-store-location"


def open_store(location: str, options: S3Options, *, fsync: bool = False) -> ObjectStore:
    """Touches neither disk nor network: call ``check()`` next. ``fsync`` is for a directory. Raises BadLocation."""
    if not location.strip() or "\0" in location:
        raise BadLocation(f"{location!r} is no store: give a directory or s3://BUCKET/PREFIX")
    scheme = _SCHEME.match(location)
    if scheme is None:
        return DirectoryStore(Path(location).expanduser(), fsync=fsync)
    if scheme[1].lower() != "s3":
        raise BadLocation(
            f"{location!r} is not a store: give a directory (without {scheme[1]}:) or s3://BUCKET/PREFIX"
        )
    # Imported late: a server whose store is a directory starts faster, and is smaller, without boto3.
    from storage.s3 import S3Store

    bucket, prefix = _split(location)
    return S3Store(bucket, prefix, options)


def _split(location: str) -> tuple[str, str]:
    bucket, _, prefix = location[len("s3://") :].partition("/")
    if not location.lower().startswith("s3://") or not _BUCKET.fullmatch(bucket):
        raise BadLocation(
            f"{location!r} names no bucket: write s3://BUCKET/PREFIX; a bucket's name has 3 to 63 "
            "lower-case letters, digits, dots and hyphens"
        )
    prefix = prefix.strip("/")
    if prefix and not is_key(prefix):
        raise BadLocation(
            f"{prefix!r} cannot be a prefix: use letters, digits, dots, hyphens and underscores, "
            "with single slashes between"
        )
    return bucket, prefix
