"""The deliveries that wait for their next attempt, and those that failed for good, one object each."""

import re
import secrets
from typing import ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from storage.documents import Documents
from storage.interface import ObjectNotFound, ObjectStore

_PENDING = "catalogue/hooks/pending"
_DEAD = "catalogue/hooks/dead"
_NAME = re.compile(r"([0-9a-f]{8})/(msg_[0-9a-f]{12}_[0-9a-f]{12})\.json")


class DeliveryNotFound(ObjectNotFound):
    code: ClassVar[str] = "delivery-not-found"


class DeliveryKey(NamedTuple):
    """``delivery`` is the message's id; hooks that receive the same event share it."""

    hook: str
    delivery: str


class Delivery(BaseModel):
    """A message to one hook. ``owner`` is the server that sends it; ``due_at`` is its next attempt. After
    ``expires_at`` it is dead. Times are seconds since the Unix epoch."""

    model_config = ConfigDict(frozen=True)

    id: str
    hook: str
    event: str
    stream: str | None = None
    body: str
    created_at: float
    expires_at: float
    owner: str
    due_at: float
    attempts: int = 0
    error: str | None = None
    died_at: float | None = None

    @property
    def key(self) -> DeliveryKey:
        return DeliveryKey(self.hook, self.id)


def new_message_id(now: float) -> str:
    """An id that sorts by time. ``now`` is seconds since the Unix epoch."""
    return f"msg_{round(now * 1000):012x}_{secrets.token_hex(6)}"


class Deliveries:
    """Every method raises the store's errors."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._documents = Documents(store)

    async def pending(self) -> list[DeliveryKey]:
        return await self._keys(_PENDING)

    async def read(self, key: DeliveryKey) -> tuple[Delivery, str]:
        """A pending delivery and its ETag. Raises ObjectNotFound."""
        return await self._documents.read(_object(_PENDING, key), Delivery)

    async def create(self, delivery: Delivery) -> str:
        """Store a pending delivery; returns its ETag. Raises PreconditionFailed."""
        return await self._documents.create(_object(_PENDING, delivery.key), delivery)

    async def replace(self, delivery: Delivery, etag: str) -> str:
        """Raises PreconditionFailed."""
        return await self._documents.replace(_object(_PENDING, delivery.key), delivery, etag)

    async def delete(self, key: DeliveryKey) -> None:
        await self._store.delete(_object(_PENDING, key))

    async def bury(self, delivery: Delivery) -> None:
        """Store a delivery that failed for good. It may still be pending."""
        await self._documents.put(_object(_DEAD, delivery.key), delivery)

    async def dead(self) -> list[DeliveryKey]:
        return await self._keys(_DEAD)

    async def dead_of(self, hook: str) -> list[DeliveryKey]:
        """The oldest first."""
        return sorted(await self._keys(f"{_DEAD}/{hook}"))

    async def read_dead(self, key: DeliveryKey) -> Delivery | None:
        try:
            return (await self._documents.read(_object(_DEAD, key), Delivery))[0]
        except ObjectNotFound:
            return None

    async def delete_dead(self, key: DeliveryKey) -> None:
        await self._store.delete(_object(_DEAD, key))

    async def _keys(self, prefix: str) -> list[DeliveryKey]:
        found = [info.key async for info in self._store.list(f"{prefix}/")]
        names = (_NAME.fullmatch("/".join(key.split("/")[-2:])) for key in found)
        return [DeliveryKey(*name.groups()) for name in names if name is not None]


def _object(prefix: str, key: DeliveryKey) -> str:
    return f"{prefix}/{key.hook}/{key.delivery}.json"
