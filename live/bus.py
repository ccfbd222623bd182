"""The bus of one process: events of broadcasts, on typed topics.

A message reaches its subscribers before ``publish`` returns, in the order of publication, on the event loop's
thread, so that a part wakes the requests that wait for it in the same turn of the loop. Messages are not copied:
publishers and subscribers treat them as immutable.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from live.topics import BroadcastRef, Topic

log = structlog.get_logger("bus")

M = TypeVar("M")
Receive = Callable[[BroadcastRef, M], None]

# Broadcasts of one topic whose receivers are cached.
MAX_CACHED = 4096


class Subscription:
    """Ends with :meth:`close`, which may be called twice."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel: Callable[[], None] | None = cancel

    def close(self) -> None:
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()


class Bus:
    """Events inside a node. Messages between nodes go through the cluster."""

    def __init__(self) -> None:
        # A reference of None subscribes to all broadcasts.
        self._subscribers: defaultdict[Topic[Any], list[tuple[BroadcastRef | None, Receive[Any]]]]
        self._subscribers = defaultdict(list)
        # A cache, because parts are published often. It is cleared when subscriptions change.
        self._receivers: defaultdict[Topic[Any], dict[BroadcastRef, tuple[Receive[Any], ...]]] = defaultdict(dict)

    def publish(self, topic: Topic[M], ref: BroadcastRef, message: M) -> None:
        """Pass ``message`` to every subscriber. Never raises: a subscriber's exception is logged."""
        receivers = self._receivers[topic].get(ref)
        if receivers is None:
            receivers = self._find_receivers(topic, ref)
        for receive in receivers:
            try:
                receive(ref, message)
            except Exception:
                log.exception("a subscriber failed", topic=topic.name, **ref._asdict())

    def subscribe(self, topic: Topic[M], receive: Receive[M], ref: BroadcastRef | None = None) -> Subscription:
        """Call ``receive(ref, message)`` for each message of one broadcast, or of all of them if ``ref`` is None.

        Subscribers to one broadcast receive a message before subscribers to all.
        """
        entry = (ref, receive)
        subscribers = self._subscribers[topic]
        subscribers.append(entry)
        self._receivers[topic].clear()

        def cancel() -> None:
            subscribers.remove(entry)
            self._receivers[topic].clear()

        return Subscription(cancel)

    def _find_receivers(self, topic: Topic[M], ref: BroadcastRef) -> tuple[Receive[M], ...]:
        subscribers, cached = self._subscribers[topic], self._receivers[topic]
        if len(cached) >= MAX_CACHED:
            cached.clear()
        exact = [receive for wanted, receive in subscribers if wanted == ref]
        every = [receive for wanted, receive in subscribers if wanted is None]
        receivers = cached[ref] = (*exact, *every)
        return receivers
