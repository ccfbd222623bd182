"""The test at start that a store works as required, including conditional writes."""

import secrets
from collections.abc import Awaitable
from contextlib import suppress

from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed, StoreMisconfigured

SUITABLE = "a store with conditional writes (AWS S3, MinIO, a directory)"


async def probe(store: ObjectStore) -> None:
    """Write, read, list and delete one small object, and read one that does not exist.

    Some S3-compatible servers accept ``If-None-Match`` and ``If-Match`` but ignore them. Two writers would then
    silently overwrite each other, so such a store is refused. Raises StoreMisconfigured, StoreUnavailable.
    """
    key = f"catalogue/check/{secrets.token_hex(8)}.json"
    body = b'{"check": true}\n'
    # S3's client repeats a put whose answer was lost, and is then refused because of its own object.
    with suppress(PreconditionFailed):
        await store.put(key, body, if_none_match=True)
    try:
        with suppress(ObjectNotFound):
            await store.get(f"{key}.missing")
        found = await store.get(key)
        if found.body != body:
            raise StoreMisconfigured(
                "the store returned other bytes than those written: something on the way changes them"
            )
        if not found.info.etag:
            raise StoreMisconfigured(
                "the store sends no ETag with an object, so a record that two writers change could lose a change: "
                f"use {SUITABLE}"
            )
        await _require_refusal("If-None-Match", store.put(key, b"{}", if_none_match=True))
        await _require_refusal("If-Match", store.put(key, b"{}", if_match="0" * 32))
        if key not in [info.key async for info in store.list(key)]:
            raise StoreMisconfigured("the store does not list an object that was just written")
    finally:
        await store.delete(key)


async def _require_refusal(header: str, put: Awaitable[object]) -> None:
    """Raises StoreMisconfigured if ``put`` succeeds, although its condition in ``header`` is false."""
    try:
        await put
    except PreconditionFailed:
        return
    raise StoreMisconfigured(
        f"the store ignores {header} on writes, so two writers could overwrite each other's records: use {SUITABLE}"
    )
