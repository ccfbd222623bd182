"""The bus as a contract: subjects are dot-separated tokens, ``*`` stands for one token, ``>`` for all the rest."""

from collections.abc import Awaitable, Callable
from typing import ClassVar, Protocol

from pydantic import BaseModel

from media.errors import HeadwaterError


class BusError(HeadwaterError):
    """Base of what a bus raises."""

    code: ClassVar[str] = "bus"


class NoResponder(BusError):
    """Nobody serves the subject of a request: the thing it is about is not live."""

    code: ClassVar[str] = "no-responder"


class RequestTimeout(BusError):
    """The responder did not answer in time."""

    code: ClassVar[str] = "request-timeout"


class Subscription(Protocol):
    def close(self) -> None: ...


class KeyValue(Protocol):
    """Live state: small values under dotted keys, gone when the system is."""

    def put(self, key: str, value: BaseModel) -> None: ...

    def get(self, key: str) -> BaseModel | None: ...

    def delete(self, key: str) -> None: ...

    def items(self, prefix: str = "") -> list[tuple[str, BaseModel]]:
        """Every pair whose key starts with ``prefix``, sorted by key."""
        ...


class Bus(Protocol):
    @property
    def state(self) -> KeyValue: ...

    def publish(self, subject: str, message: object) -> None:
        """Hand ``message`` to every subscriber. Never blocks, never raises for a subscriber's fault."""
        ...

    def subscribe(self, subject: str, receive: Callable[[str, object], None]) -> Subscription:
        """Call ``receive(subject, message)`` for each message, in the order of publication."""
        ...

    async def request(self, subject: str, message: BaseModel, *, timeout: float) -> BaseModel:
        """Ask the one that serves ``subject``. Raises NoResponder, RequestTimeout or the answer's own error."""
        ...

    def serve(self, subject: str, answer: Callable[[BaseModel], Awaitable[BaseModel]]) -> Subscription:
        """Answer requests on ``subject`` (no wildcards)."""
        ...
