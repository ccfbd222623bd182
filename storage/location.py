"""The location of a store as an operator writes it: a directory, or ``s3://BUCKET/PREFIX``."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from storage.interface import StoreMisconfigured
from storage.object_keys import is_key

FORMS = 'a directory or "s3://BUCKET/PREFIX"'

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class BadLocation(StoreMisconfigured):
    """The text is not the location of a store."""

    code: ClassVar[str] = "bad-store-location"


@dataclass(frozen=True, slots=True)
class DirectoryLocation:
    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class BucketLocation:
    """``prefix`` is empty, or a key without a ``/`` at either end."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


StoreLocation = DirectoryLocation | BucketLocation


def parse_location(text: str) -> StoreLocation:
    """A leading ``~`` is the home directory. Raises BadLocation."""
    if not text.strip() or "\0" in text:
        raise BadLocation(f'"{text}" is not a store; a store is {FORMS}')
    scheme = _SCHEME.match(text)
    if scheme is None:
        return DirectoryLocation(Path(text).expanduser())
    if scheme[1].lower() == "s3":
        return _bucket(text)
    instead = f'; write the path without "{scheme[1]}:"' if scheme[1].lower() == "file" else ""
    raise BadLocation(f'"{text}" is not a store; a store is {FORMS}{instead}')


def _bucket(text: str) -> BucketLocation:
    bucket, _, prefix = text[len("s3://") :].partition("/")
    if not text.lower().startswith("s3://") or not _BUCKET.fullmatch(bucket):
        raise BadLocation(
            f'"{text}" names no bucket; write "s3://BUCKET" or "s3://BUCKET/PREFIX"; the name of a bucket has '
            "3 to 63 lower-case letters, digits, dots and hyphens"
        )
    prefix = prefix.strip("/")
    if prefix and not is_key(prefix):
        raise BadLocation(
            f'"{prefix}" cannot be a prefix; use letters, digits, dots, hyphens and underscores, '
            "with single slashes between them"
        )
    return BucketLocation(bucket, prefix)
