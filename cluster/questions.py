"""Requests to the owner of a stream: queries and commands. They and their answers can be encoded as JSON."""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, Field

from live.status import Frozen, History, Latencies, StreamStatus, Thumbnail
from media.roles import Role
from storage.catalogue.events import MAX_EVENTS, EventRecord

Answer = TypeVar("Answer", bound=BaseModel)


class Done(Frozen):
    """The answer to a command that was carried out."""


class Switching(Frozen):
    """The publisher with the role ``to`` goes on air at its next keyframe."""

    to: Role


class StreamOwner(Protocol):
    """Answers for a stream on the node that holds its claim. Every method may raise a HeadwaterError, and raises
    NoOwner once the broadcast has ended."""

    async def status(self) -> StreamStatus: ...

    async def history(self) -> History: ...

    async def latencies(self) -> Latencies: ...

    async def thumbnail(self) -> Thumbnail: ...

    async def events(self, after: int, limit: int, wait_s: float) -> EventRecord:
        """The first ``limit`` events whose number is above ``after``; waits up to ``wait_s`` seconds for one."""
        ...

    async def kill(self, reason: str) -> Done:
        """End the broadcast; ``reason`` is shown to the publisher."""
        ...

    async def disconnect(self, key_hash: str, reason: str) -> Done:
        """Disconnect the publisher whose stream key has this hash, if there is one; ``reason`` is shown to it."""
        ...

    async def switch(self) -> Switching:
        """Put the publisher on standby on air. Raises NoStandby."""
        ...


class Question(Frozen, ABC, Generic[Answer]):
    """A request to an owner, either a query or a command. ``Answer`` is the type of its answer."""

    @abstractmethod
    async def put_to(self, owner: StreamOwner) -> Answer:
        """Get the answer of an owner in this process. Raises the owner's errors."""


class StatusQuery(Question[StreamStatus]):
    async def put_to(self, owner: StreamOwner) -> StreamStatus:
        return await owner.status()


class HistoryQuery(Question[History]):
    async def put_to(self, owner: StreamOwner) -> History:
        return await owner.history()


class LatencyQuery(Question[Latencies]):
    async def put_to(self, owner: StreamOwner) -> Latencies:
        return await owner.latencies()


class ThumbnailQuery(Question[Thumbnail]):
    async def put_to(self, owner: StreamOwner) -> Thumbnail:
        return await owner.thumbnail()


class EventsQuery(Question[EventRecord]):
    after: int = 0
    limit: int = MAX_EVENTS
    wait_s: float = 0.0

    async def put_to(self, owner: StreamOwner) -> EventRecord:
        return await owner.events(self.after, self.limit, self.wait_s)


class KillCommand(Question[Done]):
    reason: str = Field(default="ended by the operator", max_length=200)

    async def put_to(self, owner: StreamOwner) -> Done:
        return await owner.kill(self.reason)


class DisconnectCommand(Question[Done]):
    key_hash: str = Field(max_length=64)
    reason: str = Field(max_length=200)

    async def put_to(self, owner: StreamOwner) -> Done:
        return await owner.disconnect(self.key_hash, self.reason)


class SwitchCommand(Question[Switching]):
    async def put_to(self, owner: StreamOwner) -> Switching:
        return await owner.switch()
