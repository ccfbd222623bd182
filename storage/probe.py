"""The test at start that a store works as Headwater needs it, conditional writes included."""

import secrets
from contextlib import suppress

from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed, StoreMisconfigured


async def probe(store: ObjectStore) -> None:
    """Write, read, list and delete one small object, and read one that does not exist.

    Some S3-compatible servers accept ``If-None-Match`` and ``If-Match`` but ignore them. Two writers would then
    silently overwrite each other, so such a store is refused. Raises StoreMisconfigured, StoreUnavailable.
    """
    key = f"catalogue/check/{secrets.token_hex(8)}.json"
    body = b'{"check": true}\n'
    await store.put(key, body, if_none_match=True)
    try:
        with suppress(ObjectNotFound):
            await store.get(f"{key}.missing")
        if (await store.get(key)).body != body:
            raise StoreMisconfigured(
                "the store returned other bytes than those written: something on the way changes them"
            )
        await _refuses(store, key, if_none_match=True)
        await _refuses(store, key, if_match="0" * 32)
        if key not in [found.key async for found in store.list(key)]:
            raise StoreMisconfigured("the store does not list an object that was just written")
    finally:
        await store.delete(key)


async def _refuses(
    store: ObjectStore, key: str, *, if_none_match: bool = False, if_match: str | None = None
) -> None:
    try:
        await store.put(key, b"{}", if_none_match=if_none_match, if_match=if_match)
    except PreconditionFailed:
        return
    header = "If-None-Match" if if_none_match else "If-Match"
    raise StoreMisconfigured(
        f"the store ignores {header} on writes, so two writers could overwrite each other's records: "
        "use a store with conditional writes (AWS S3, MinIO, a directory)"
    )
