"""The keys of streams: create, rotate and revoke them, and note their last use.

A key's object is written before the stream's record lists the key. A key is valid only if both agree, so a crash in
between admits no publisher.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

import structlog

from media.names import is_stream_name
from media.roles import Role
from storage.catalogue.named_keys import ROLES, NamedKey, find_key
from storage.catalogue.records import MAX_NAMED_KEYS, KeyRecord, StreamRecord
from storage.catalogue.stream_keys import key_hash, new_stream_key
from storage.documents import Documents
from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed, StorageError
from storage.sized_cache import SizedCache

log = structlog.get_logger("catalogue")

# The last use of a key is written once in this time.
LAST_USE_S = 60.0
MAX_USES = 4096

Change = Callable[[StreamRecord], StreamRecord]
UpdateStream = Callable[[str, Change], Awaitable[StreamRecord]]


class BadKey(StorageError):
    """A name or a limit that a key cannot have."""

    code: ClassVar[str] = "bad-key"


class KeyExists(PreconditionFailed):
    code: ClassVar[str] = "key-exists"


class TooManyKeys(PreconditionFailed):
    code: ClassVar[str] = "too-many-keys"


class KeyNotFound(ObjectNotFound):
    code: ClassVar[str] = "key-not-found"


class KeyRing:
    """Every method raises the store's errors in addition to those it names. ``update`` changes a stream's record,
    and raises StreamNotFound."""

    def __init__(self, store: ObjectStore, update: UpdateStream) -> None:
        self._store = store
        self._documents = Documents(store)
        self._update = update
        self._uses: SizedCache[str, float] = SizedCache(0, max_values=MAX_USES)
        self._tasks: set[asyncio.Task[None]] = set()

    async def make(self, stream: str) -> tuple[str, str]:
        """A new key and its hash. The key is valid when the stream's record lists the hash."""
        key = new_stream_key()
        hashed = key_hash(key)
        assert hashed is not None
        await self._documents.put(key_object(hashed), KeyRecord(stream=stream))
        return key, hashed

    async def create(
        self,
        stream: str,
        name: str,
        *,
        now: float,
        role: Role = Role.PRIMARY,
        expires_at: float | None = None,
        networks: tuple[str, ...] = (),
    ) -> tuple[NamedKey, str]:
        """Returns the key as it is stored, and the key itself, which is shown only once. Raises StreamNotFound,
        BadKey, KeyExists, TooManyKeys."""
        if not is_stream_name(name):
            raise BadKey(
                f"{name[:80]!r} cannot be a key's name: use 1 to 63 lower-case letters, digits and hyphens, with "
                "no hyphen at either end"
            )
        if name in ROLES:
            if expires_at is not None or networks:
                raise BadKey(f"the key {name} has no expiry and no addresses: choose another name")
            role = Role(name)
        _require_future(expires_at, now)

        def add(record: StreamRecord, hashed: str) -> StreamRecord:
            if find_key(record.keys, name) is not None:
                raise KeyExists(f"{stream} has a key {name} already: rotate or revoke it, or choose another name")
            if name not in ROLES and len(record.named_keys) >= MAX_NAMED_KEYS:
                raise TooManyKeys(f"{stream} has {MAX_NAMED_KEYS} keys, which is the limit: revoke one first")
            key = NamedKey(
                name=name, key_hash=hashed, created_at=now, expires_at=expires_at, networks=networks, role=role
            )
            return record.with_key(name, key)

        return await self._add(stream, name, add)

    async def rotate(
        self, stream: str, name: str, *, now: float, expires_at: float | None = None
    ) -> tuple[NamedKey, str]:
        """Replace a key by a new one with the same limits, or with another expiry. The old one is refused from now
        on. Raises StreamNotFound, KeyNotFound, BadKey."""
        if name in ROLES and expires_at is not None:
            raise BadKey(f"the key {name} has no expiry: create one with another name")
        _require_future(expires_at, now)

        def replace(record: StreamRecord, hashed: str) -> StreamRecord:
            key = _require_key(record, name)
            if expires_at is None and key.is_expired(now):
                raise BadKey(f"the key {name} has expired: give the new one an expiry that is in the future")
            changes = {"key_hash": hashed, "created_at": now, "expires_at": expires_at or key.expires_at}
            return record.with_key(name, key.model_copy(update=changes))

        return await self._add(stream, name, replace)

    async def replace(self, stream: str, role: Role, *, now: float) -> str:
        """Give the primary or the backup a new key, whether it has one or not. Raises StreamNotFound."""

        def replace(record: StreamRecord, hashed: str) -> StreamRecord:
            return record.with_key(role, NamedKey(name=role, key_hash=hashed, created_at=now, role=role))

        return (await self._add(stream, role, replace))[1]

    async def revoke(self, stream: str, name: str) -> NamedKey:
        """Returns the key that is refused from now on. Raises StreamNotFound, KeyNotFound."""
        revoked: dict[str, NamedKey] = {}

        def remove(record: StreamRecord) -> StreamRecord:
            # Without one now, a put whose answer was lost has removed it.
            if not revoked:
                _require_key(record, name)
            revoked.update((key.key_hash, key) for key in record.keys if key.name == name)
            return record.with_key(name, None)

        await self._update(stream, remove)
        await self._delete(revoked)
        return list(revoked.values())[-1]

    async def uses(self, record: StreamRecord) -> dict[str, KeyRecord]:
        """The last use of each key, by name."""
        objects = {key_object(key.key_hash): key.name for key in record.keys}
        found = await asyncio.gather(*(self._documents.read_all([key], KeyRecord) for key in objects))
        return {name: one[0] for name, one in zip(objects.values(), found, strict=True) if one}

    def note_use(self, key: NamedKey, address: str, *, now: float) -> None:
        """Store time and address of the last use in the background, unless that was done within ``LAST_USE_S``."""
        noted = self._uses.get(key.key_hash)
        if noted is not None and now - noted < LAST_USE_S:
            return
        self._uses.put(key.key_hash, now, 0)
        task = asyncio.create_task(self._store_use(key, address, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel the writes that are in flight."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _add(
        self, stream: str, name: str, change: Callable[[StreamRecord, str], StreamRecord]
    ) -> tuple[NamedKey, str]:
        """Make a key, and delete the objects of those that ``change`` replaces by it."""
        key, hashed = await self.make(stream)
        replaced: set[str] = set()

        def add(record: StreamRecord) -> StreamRecord:
            replaced.update(old.key_hash for old in record.keys if old.name == name and old.key_hash != hashed)
            # A put whose answer was lost is repeated; the record then has the key already.
            return record if any(one.key_hash == hashed for one in record.keys) else change(record, hashed)

        try:
            record = await self._update(stream, add)
        except (ObjectNotFound, PreconditionFailed, BadKey):
            await self._store.delete(key_object(hashed))
            raise
        await self._delete(replaced)
        return _require_key(record, name), key

    async def _delete(self, hashes: Iterable[str]) -> None:
        for hashed in hashes:
            await self._store.delete(key_object(hashed))

    async def _store_use(self, key: NamedKey, address: str, now: float) -> None:
        try:
            stored, etag = await self._documents.read(key_object(key.key_hash), KeyRecord)
            used = stored.model_copy(update={"last_used_at": now, "last_used_from": address})
            # With a condition, so that the object of a key that was revoked meanwhile is not made again.
            await self._documents.replace(key_object(key.key_hash), used, etag)
        except StorageError as error:
            log.info("the last use of a stream key was not stored", key=key.name, error=str(error))


def key_object(hashed: str) -> str:
    return f"catalogue/keys/{hashed}.json"


def _require_key(record: StreamRecord, name: str) -> NamedKey:
    key = find_key(record.keys, name)
    if key is None:
        raise KeyNotFound(f"{record.stream} has no key {name[:80]}")
    return key


def _require_future(expires_at: float | None, now: float) -> None:
    if expires_at is not None and expires_at <= now:
        raise BadKey("the expiry is in the past: give one in the future")
