"""The store: whether it can be written, read and listed, with conditions; how fast it is, and its clock."""

import secrets
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from statistics import median

import httpx

from control.config import Config
from control.doctor.finding import Finding, fault, good, warning
from control.store_options import s3_options
from storage.interface import ObjectStore, StorageError, StoreMisconfigured
from storage.open import open_store

SUBJECT = "store"
# About a segment of 2 s at 4 Mbit/s.
SEGMENT_BYTES = 1_000_000
TRIES = 5
# A segment lasts two seconds, and several are uploaded at once.
SLOW_S = 1.0
# S3 refuses requests whose time is 15 minutes off. Less is a sign of a clock that nobody sets.
LARGEST_SKEW_S = 2.0
ANSWER_S = 5.0


async def examine_store(config: Config) -> AsyncIterator[Finding]:
    place = str(config.store_location)
    try:
        store = open_store(config.store_location, s3_options(config), fsync=config.store.fsync)
    except StorageError as error:
        yield fault(SUBJECT, str(error), "see docs/storage.md")
        return
    try:
        await store.check()
        yield good(SUBJECT, f"{place} can be written, read and listed, and respects conditions")
        yield await _speed(store)
    except StoreMisconfigured as error:
        yield fault(SUBJECT, f"{place}: {error}", "see docs/storage.md")
    except StorageError as error:
        yield fault(SUBJECT, f"{place}: {error}", "start the store, or change [store]")
    finally:
        await store.close()
    if config.store.s3_endpoint is not None:
        async for finding in _clock(config.store.s3_endpoint):
            yield finding


async def _speed(store: ObjectStore) -> Finding:
    """Raises StorageError."""
    key, times = f"catalogue/check/{secrets.token_hex(8)}.m4s", []
    body = secrets.token_bytes(SEGMENT_BYTES)
    try:
        for _ in range(TRIES):
            began = time.monotonic()
            await store.put(key, body)
            times.append(time.monotonic() - began)
    finally:
        await store.delete(key)
    text = f"a segment of 1 MB is stored in {median(times):.2f} s (the slowest of {TRIES}: {max(times):.2f} s)"
    if median(times) > SLOW_S:
        return warning(SUBJECT, text, "media would wait in the spool: use a store that is nearer or faster")
    return good(SUBJECT, text)


async def _clock(endpoint: str) -> AsyncIterator[Finding]:
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S) as client:
            date = (await client.head(endpoint)).headers.get("date", "")
        skew_s = time.time() - parsedate_to_datetime(date).timestamp()
    except (httpx.HTTPError, ValueError):
        return
    if abs(skew_s) > LARGEST_SKEW_S:
        word = "ahead of" if skew_s > 0 else "behind"
        text = f"this machine's clock is {abs(skew_s):.0f} s {word} the store's"
        yield warning("clock", text, "synchronise both by NTP; S3 refuses requests that are 15 minutes off")
