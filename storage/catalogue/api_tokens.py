"""API tokens, one JSON object for each.

    catalogue/api-tokens/{name}.json    ApiTokenRecord

Revoking a token deletes its object. Its name is then free again; ``id`` distinguishes tokens of one name.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable
from typing import ClassVar

import structlog
from pydantic import BaseModel, ConfigDict

from media.names import is_stream_name
from storage.cached_lookup import CachedLookup, Freshness
from storage.catalogue.api_token_text import new_api_token, token_hash, token_name
from storage.catalogue.scopes import Scope
from storage.documents import Documents
from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed, StorageError
from storage.sized_cache import SizedCache

log = structlog.get_logger("catalogue")

# While the store answers, a token that another process revoked is refused after at most ``max_age_s``.
FRESHNESS = Freshness(refresh_s=2.5, max_age_s=5.0, fallback_s=2.0)
MAX_CACHED = 1024
# Requests with invented tokens must not fill the queue of the store's reads.
MAX_LOOKUPS = 16
# The last use of a token is written once in this time.
LAST_USE_S = 3600.0
FILE_TOKEN = "api-token"
"""The name of the token in the data directory, which is not in the store."""

_TOKENS = "catalogue/api-tokens/"


class BadTokenName(StorageError):
    code: ClassVar[str] = "bad-token-name"


class TokenExists(PreconditionFailed):
    code: ClassVar[str] = "api-token-exists"


class TokenNotFound(ObjectNotFound):
    code: ClassVar[str] = "api-token-not-found"


class ApiTokenRecord(BaseModel):
    """Times are seconds since the Unix epoch. ``last_used_at`` may be ``LAST_USE_S`` behind."""

    model_config = ConfigDict(frozen=True)

    name: str
    id: str
    scope: Scope
    token_hash: str
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None


class ApiTokens:
    """Every method raises the store's errors in addition to those it names. ``clock`` returns monotonic seconds."""

    def __init__(self, store: ObjectStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._documents = Documents(store)
        self._records: CachedLookup[str, ApiTokenRecord] = CachedLookup(
            self._load,
            max_count=MAX_CACHED,
            freshness=FRESHNESS,
            missing_s=FRESHNESS.max_age_s,
            max_lookups=MAX_LOOKUPS,
            clock=clock,
        )
        self._uses: SizedCache[str, float] = SizedCache(0, max_values=MAX_CACHED)
        self._tasks: set[asyncio.Task[None]] = set()

    async def create(
        self, name: str, scope: Scope, *, now: float, expires_at: float | None = None
    ) -> tuple[ApiTokenRecord, str]:
        """Returns the record and the token, which is shown only once. Raises BadTokenName, TokenExists."""
        if not is_stream_name(name) or name == FILE_TOKEN:
            raise BadTokenName(
                f"{name[:80]!r} cannot be a token's name: use 1 to 63 lower-case letters, digits and hyphens, with "
                f"no hyphen at either end; {FILE_TOKEN} is the token in the data directory"
            )
        token = new_api_token(name)
        record = ApiTokenRecord(
            name=name,
            id=secrets.token_hex(4),
            scope=scope,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=expires_at,
        )
        try:
            await self._documents.create(_object(name), record)
        except PreconditionFailed:
            # The client may have repeated a put whose answer was lost; the stored record is then this one.
            if await self._stored(name) != record:
                raise TokenExists(f"there is a token {name} already: revoke it, or choose another name") from None
        self._records.put(name, record)
        return record, token

    async def find(self, token: str) -> ApiTokenRecord | None:
        """The record of ``token``, or None if it is no token or was revoked. The caller checks its expiry."""
        name = token_name(token)
        if name is None:
            return None
        try:
            record = await self._records.get(name)
            if not _is_token_of(token, record):
                # Another process may have revoked the token and created another one of the same name.
                record = await self._records.refresh(name)
        except ObjectNotFound:
            return None
        return record if _is_token_of(token, record) else None

    def is_known(self, token: str) -> bool:
        """Whether :meth:`find` has found the token before, so that it seldom reads the store for it."""
        record = self._records.peek(token_name(token) or "")
        return record is not None and _is_token_of(token, record)

    async def list(self) -> list[ApiTokenRecord]:
        """All tokens, sorted by name. Damaged records are logged and left out."""
        keys = [info.key async for info in self._store.list(_TOKENS)]
        return await self._documents.read_all(keys, ApiTokenRecord)

    async def revoke(self, name: str) -> ApiTokenRecord:
        """Delete the token, and return what its record was. Raises TokenNotFound."""
        record = await self._stored(name)
        if record is None:
            raise TokenNotFound(f"there is no token {name[:80]}")
        await self._store.delete(_object(name))
        self._records.forget(name)
        return record

    def note_use(self, record: ApiTokenRecord, *, now: float) -> None:
        """Store the time of the last use in the background, unless that was done within ``LAST_USE_S``."""
        noted = max(self._uses.get(record.id) or 0.0, record.last_used_at or 0.0)
        if now - noted < LAST_USE_S:
            return
        self._uses.put(record.id, now, 0)
        task = asyncio.create_task(self._store_use(record, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel the calls that are in flight."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._records.close()

    async def _store_use(self, record: ApiTokenRecord, now: float) -> None:
        try:
            stored, etag = await self._documents.read(_object(record.name), ApiTokenRecord)
            if stored.id == record.id:
                used = stored.model_copy(update={"last_used_at": now})
                await self._documents.replace(_object(record.name), used, etag)
        except StorageError as error:
            log.info("the last use of an API token was not stored", token=record.name, error=str(error))

    async def _load(self, name: str) -> ApiTokenRecord:
        return (await self._documents.read(_object(name), ApiTokenRecord))[0]

    async def _stored(self, name: str) -> ApiTokenRecord | None:
        try:
            return await self._load(name) if is_stream_name(name) else None
        except ObjectNotFound:
            return None


def _is_token_of(token: str, record: ApiTokenRecord) -> bool:
    return hmac.compare_digest(token_hash(token), record.token_hash)


def _object(name: str) -> str:
    return f"{_TOKENS}{name}.json"
