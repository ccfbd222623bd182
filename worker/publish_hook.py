"""The question to the operator's own service whether a publisher may publish, and to which stream."""

from typing import Protocol

from ingest.interface import PublishRequest
from storage.catalogue.catalogue import Publisher
from storage.catalogue.records import StreamRecord


class PublishHook(Protocol):
    async def ask(self, request: PublishRequest, publisher: Publisher | None) -> StreamRecord | None:
        """The stream to publish to; None leaves it to the stream key. ``publisher`` is what the key stands for,
        None if it is unknown. Raises PublishRefused."""
        ...


class NoHook:
    """Leaves everything to the stream key."""

    async def ask(self, request: PublishRequest, publisher: Publisher | None) -> StreamRecord | None:
        return None
