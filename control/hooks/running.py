"""The webhooks of a running server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from control.config.model import HooksConfig
from control.hooks.addresses import LookUp, NameLookUp
from control.hooks.dispatcher import Dispatcher, HookParts, HookPlace
from control.hooks.manager import HookManager
from control.hooks.notices import of_trouble
from control.hooks.sender import Sender
from live.bus import Bus
from storage.interface import ObjectStore
from storage.watch import StoreTrouble
from telemetry.hook_gauges import HookCollector
from telemetry.metrics import Metrics

if TYPE_CHECKING:
    from telemetry.tracing import Tracing


@dataclass(frozen=True, slots=True)
class RunningHooks:
    """``store_trouble`` sends what the store watch notices."""

    manager: HookManager
    store_trouble: Callable[[StoreTrouble, str], None]


@asynccontextmanager
async def serving_hooks(
    store: ObjectStore,
    bus: Bus,
    place: HookPlace,
    *,
    options: Callable[[], HooksConfig],
    metrics: Metrics,
    look_up: LookUp | None = None,
    tracing: Tracing | None = None,
) -> AsyncIterator[RunningHooks]:
    """Send messages until the block ends. Raises StorageError."""
    parts = HookParts.of(store)
    sender = Sender(look_up or NameLookUp(), allow_private=lambda: options().allow_private)
    dispatcher = Dispatcher(
        parts,
        bus,
        sender,
        place,
        retry_for=lambda: options().retry_for,
        on_attempt=metrics.hook_attempt,
        tracing=tracing,
    )

    def store_trouble(trouble: StoreTrouble, text: str) -> None:
        dispatcher.notify(of_trouble(trouble, text, at=time.time(), public_url=place.public_url))

    try:
        await dispatcher.start()
        metrics.collect(HookCollector(dispatcher))
        yield RunningHooks(HookManager(parts, dispatcher, sender, clock=time.time), store_trouble)
    finally:
        await dispatcher.close()
        await sender.close()
