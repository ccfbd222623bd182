"""Reads boto3's answers. Some servers leave out fields that the types declare: they may be missing if Headwater can
do without them, or can find them elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING

from storage import content
from storage.interface import ObjectInfo, StoreUnavailable
from storage.object_keys import is_key
from storage.s3_errors import Place, words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from types_boto3_s3.type_defs import ListObjectsV2OutputTypeDef, ListObjectsV2RequestTypeDef

_ERROR = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<Error[\s>]")
_MAX_ERROR = 64 << 10


def etag_of(answer: Mapping[str, Any]) -> str:
    """Empty if the server sends none."""
    return str(answer.get("ETag", "")).strip('"')


def info_of(key: str, answer: Mapping[str, Any], size: int) -> ObjectInfo:
    """From the answer to GetObject or HeadObject."""
    modified = answer.get("LastModified")
    return ObjectInfo(
        key=key,
        size=size,
        etag=etag_of(answer),
        modified=modified.timestamp() if modified is not None else 0.0,
        content_type=answer.get("ContentType", content.DEFAULT_TYPE),
        cache_control=answer.get("CacheControl"),
    )


def listed(page: ListObjectsV2OutputTypeDef, root: str) -> Iterator[ObjectInfo]:
    """The objects of a page. The content types follow from the keys, because listings do not contain the stored
    ones."""
    entry: Mapping[str, Any]
    for entry in page.get("Contents", ()):
        key = str(entry.get("Key", "")).removeprefix(root)
        if is_key(key):
            modified = entry.get("LastModified")
            yield ObjectInfo(
                key=key,
                size=entry.get("Size", 0),
                etag=etag_of(entry),
                modified=modified.replace(microsecond=0).timestamp() if modified is not None else 0.0,
                content_type=content.content_type(key),
                cache_control=content.cache_control(key),
            )


def next_page(
    request: ListObjectsV2RequestTypeDef, page: ListObjectsV2OutputTypeDef, place: Place
) -> ListObjectsV2RequestTypeDef | None:
    """The request for the page after ``page``; None if it is the last one. Raises StoreUnavailable if the server
    would send the same page for ever."""
    token, entries = page.get("NextContinuationToken"), page.get("Contents", ())
    if not page.get("IsTruncated", token is not None):
        return None
    following = request.copy()
    if token is not None:
        following["ContinuationToken"] = token
    elif entries:
        following["StartAfter"] = entries[-1]["Key"]
    if following == request:
        raise StoreUnavailable(f"{place} does not continue a listing that it does not complete")
    return following


def require_no_error(body: bytes, place: Place) -> None:
    """Raises StoreUnavailable if a server's successful answer is the text of an error."""
    if len(body) <= _MAX_ERROR and _ERROR.match(body):
        raise StoreUnavailable(
            f"{place} is failing (GetObject): {words(_field(body, 'Code'), _field(body, 'Message'))}"
        )


def _field(body: bytes, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>".encode(), body)
    return unescape(found[1].decode("utf-8", "replace")) if found else ""
