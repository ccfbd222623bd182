"""The hooks of a store, in one small object that is replaced as a whole."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from storage.documents import Documents
from storage.hooks.secrets import new_secret
from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed, StorageError

MAX_HOOKS = 50
# Seconds in which receivers may still check signatures with the secret that was replaced.
ROTATION_S = 86_400.0

_HOOKS = "catalogue/hooks/hooks.json"
# Other servers that change the object at the same time.
_TRIES = 8


class HookNotFound(ObjectNotFound):
    code: ClassVar[str] = "hook-not-found"


class TooManyHooks(StorageError):
    code: ClassVar[str] = "too-many-hooks"


class HookDisabled(StorageError):
    code: ClassVar[str] = "hook-disabled"


class Hook(BaseModel):
    """``events`` and ``streams`` select what is sent; empty is everything. Times are seconds since the Unix epoch.
    ``old_secret`` also signs until ``old_secret_until``. A hook with a ``disabled_reason`` receives nothing."""

    model_config = ConfigDict(frozen=True)

    id: str
    url: str
    secret: str = Field(repr=False)
    events: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    created_at: float
    old_secret: str | None = Field(default=None, repr=False)
    old_secret_until: float | None = None
    disabled_reason: str | None = None

    def wants(self, event: str, stream: str | None) -> bool:
        """An event without a stream is the server's, and every stream is concerned."""
        wants_stream = not self.streams or stream is None or stream in self.streams
        return self.disabled_reason is None and (not self.events or event in self.events) and wants_stream

    def secrets_at(self, now: float) -> tuple[str, ...]:
        """The secrets that sign, the newest first."""
        if self.old_secret is None or self.old_secret_until is None or now >= self.old_secret_until:
            return (self.secret,)
        return (self.secret, self.old_secret)


class HookList(BaseModel):
    model_config = ConfigDict(frozen=True)

    hooks: tuple[Hook, ...] = ()


class HookRegistry:
    """Every method raises the store's errors in addition to those it names."""

    def __init__(self, store: ObjectStore) -> None:
        self._documents = Documents(store)

    async def read(self) -> tuple[Hook, ...]:
        return (await self._read())[0]

    async def refresh(self, known: tuple[Hook, ...]) -> tuple[Hook, ...]:
        """The hooks as they are now; ``known`` are those of the last call. The object is never deleted, so a store
        without it was emptied, and gets what is ``known``."""
        hooks, etag = await self._read()
        if etag is not None or not known:
            return hooks
        return await self._update(lambda stored: stored or known)

    async def add(self, url: str, *, events: tuple[str, ...], streams: tuple[str, ...], now: float) -> Hook:
        """Raises TooManyHooks."""
        hook = Hook(
            id=secrets.token_hex(4),
            url=url,
            secret=new_secret(),
            events=events,
            streams=streams,
            created_at=now,
        )

        def append(hooks: tuple[Hook, ...]) -> tuple[Hook, ...]:
            others = tuple(other for other in hooks if other.id != hook.id)
            if len(others) >= MAX_HOOKS:
                raise TooManyHooks(f"there are {MAX_HOOKS} hooks already: remove one first")
            return (*others, hook)

        await self._update(append)
        return hook

    async def remove(self, hook: str) -> Hook:
        """Returns what it was. Raises HookNotFound."""
        removed = find_hook(await self.read(), hook)
        await self._update(lambda hooks: tuple(other for other in hooks if other.id != hook))
        return removed

    async def change(self, hook: str, change: Callable[[Hook], Hook]) -> Hook:
        """Raises HookNotFound."""

        def apply(hooks: tuple[Hook, ...]) -> tuple[Hook, ...]:
            changed = change(find_hook(hooks, hook))
            return tuple(changed if other.id == hook else other for other in hooks)

        return find_hook(await self._update(apply), hook)

    async def rotate_secret(self, hook: str, *, now: float) -> Hook:
        """Give the hook a new secret; the old one signs too for ``ROTATION_S``. Raises HookNotFound."""
        secret = new_secret()

        def rotate(found: Hook) -> Hook:
            if found.secret == secret:
                return found
            old = {"old_secret": found.secret, "old_secret_until": now + ROTATION_S}
            return found.model_copy(update={"secret": secret} | old)

        return await self.change(hook, rotate)

    async def _read(self) -> tuple[tuple[Hook, ...], str | None]:
        try:
            stored, etag = await self._documents.read(_HOOKS, HookList)
        except ObjectNotFound:
            return (), None
        return stored.hooks, etag

    async def _update(self, update: Callable[[tuple[Hook, ...]], tuple[Hook, ...]]) -> tuple[Hook, ...]:
        """Replace the list, again if another server was faster or the answer to the first put was lost: so an
        ``update`` that is applied twice has to give the same."""
        for _ in range(_TRIES - 1):
            with suppress(PreconditionFailed):
                return await self._update_once(update)
        return await self._update_once(update)

    async def _update_once(self, update: Callable[[tuple[Hook, ...]], tuple[Hook, ...]]) -> tuple[Hook, ...]:
        hooks, etag = await self._read()
        changed = HookList(hooks=update(hooks))
        if etag is None:
            await self._documents.create(_HOOKS, changed)
        else:
            await self._documents.replace(_HOOKS, changed, etag)
        return changed.hooks


def find_hook(hooks: tuple[Hook, ...], hook: str) -> Hook:
    """Raises HookNotFound."""
    for found in hooks:
        if found.id == hook:
            return found
    raise HookNotFound(f"there is no hook {hook[:80]}: see `headwater hooks list`")
