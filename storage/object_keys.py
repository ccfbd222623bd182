"""The form of an object's key: plain parts with ``/`` between them, which every store accepts.

A part starts with a letter or digit, so no part is ``.``, ``..`` or the name of a hidden file. A key is both a safe
relative path and a URL path that needs no escaping.
"""

import re
from typing import ClassVar

from storage.interface import ObjectNotFound, StorageError

MAX_KEY_LENGTH = 512
"""Less than S3's limit of 1024 bytes, with room for a prefix."""

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}"
_KEY = re.compile(rf"{_PART}(?:/{_PART})*")
_PREFIX = re.compile(rf"(?:{_PART}(?:/{_PART})*/?)?")


class InvalidKey(StorageError):
    """The text does not have the form of a key."""

    code: ClassVar[str] = "invalid-key"


def is_key(key: str) -> bool:
    return len(key) <= MAX_KEY_LENGTH and _KEY.fullmatch(key) is not None


def require_key(key: str) -> None:
    """Raises InvalidKey."""
    if not is_key(key):
        raise InvalidKey(f"{key[:80]!r} is not a key that an object can have")


def require_possible(key: str) -> None:
    """Raises ObjectNotFound if no object can have this key."""
    if not is_key(key):
        raise ObjectNotFound(f"there is no object {key[:80]!r}")


def is_key_prefix(prefix: str) -> bool:
    """Whether any key can start with ``prefix``: empty, or a key with or without a ``/`` after it."""
    return len(prefix) <= MAX_KEY_LENGTH and _PREFIX.fullmatch(prefix) is not None
