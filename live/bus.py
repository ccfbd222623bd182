"""The bus of a single process: plain calls, in the order of publication, on the event loop's thread.

A message reaches its subscribers before ``publish`` returns, so a part wakes the requests that wait for it in the
same turn of the loop. Messages are handed over as they are: senders and receivers treat them as immutable.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from pydantic import BaseModel

from live.bus_interface import NoResponder, RequestTimeout

log = structlog.get_logger("bus")

MAX_REMEMBERED = 4096

Receive = Callable[[str, object], None]
Answer = Callable[[BaseModel], Awaitable[BaseModel]]


class MemoryKeyValue:
    """Live state in a dict."""

    def __init__(self) -> None:
        self._values: dict[str, BaseModel] = {}

    def put(self, key: str, value: BaseModel) -> None:
        self._values[key] = value

    def get(self, key: str) -> BaseModel | None:
        return self._values.get(key)

    def delete(self, key: str) -> None:
        self._values.pop(key, None)

    def items(self, prefix: str = "") -> list[tuple[str, BaseModel]]:
        return sorted(
            ((key, value) for key, value in self._values.items() if key.startswith(prefix)),
            key=lambda pair: pair[0],
        )


class MemorySubscription:
    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel

    def close(self) -> None:
        self._cancel()


class MemoryBus:
    """:class:`live.bus_interface.Bus` without a network."""

    def __init__(self) -> None:
        self._state = MemoryKeyValue()
        self._exact: dict[str, list[Receive]] = {}
        self._patterns: list[tuple[tuple[str, ...], Receive]] = []
        self._responders: dict[str, Answer] = {}
        # Who hears of a subject, found once; forgotten with every change of subscriptions.
        self._receivers: dict[str, tuple[Receive, ...]] = {}

    @property
    def state(self) -> MemoryKeyValue:
        return self._state

    def publish(self, subject: str, message: object) -> None:
        receivers = self._receivers.get(subject)
        if receivers is None:
            receivers = self._find_receivers(subject)
        for receive in receivers:
            try:
                receive(subject, message)
            except Exception:
                log.exception("a subscriber failed", subject=subject)

    def subscribe(self, subject: str, receive: Receive) -> MemorySubscription:
        self._receivers.clear()
        tokens = tuple(subject.split("."))
        if "*" in tokens or ">" in tokens:
            pattern = (tokens, receive)
            self._patterns.append(pattern)
            return MemorySubscription(lambda: self._remove_pattern(pattern))
        self._exact.setdefault(subject, []).append(receive)
        return MemorySubscription(lambda: self._unsubscribe(subject, receive))

    async def request(self, subject: str, message: BaseModel, *, timeout: float) -> BaseModel:
        answer = self._responders.get(subject)
        if answer is None:
            raise NoResponder(f"nobody answers on {subject}")
        try:
            async with asyncio.timeout(timeout):
                return await answer(message)
        except TimeoutError:
            raise RequestTimeout(f"no answer on {subject} within {timeout:g} s") from None

    def serve(self, subject: str, answer: Answer) -> MemorySubscription:
        self._responders[subject] = answer

        def stop() -> None:
            if self._responders.get(subject) is answer:
                del self._responders[subject]

        return MemorySubscription(stop)

    def _remove_pattern(self, pattern: tuple[tuple[str, ...], Receive]) -> None:
        self._receivers.clear()
        self._patterns.remove(pattern)

    def _unsubscribe(self, subject: str, receive: Receive) -> None:
        self._receivers.clear()
        receivers = self._exact[subject]
        receivers.remove(receive)
        if not receivers:
            del self._exact[subject]

    def _find_receivers(self, subject: str) -> tuple[Receive, ...]:
        tokens = tuple(subject.split("."))
        matching = (receive for pattern, receive in self._patterns if matches(pattern, tokens))
        if len(self._receivers) >= MAX_REMEMBERED:
            self._receivers.clear()
        self._receivers[subject] = receivers = (*self._exact.get(subject, ()), *matching)
        return receivers


def matches(pattern: tuple[str, ...], tokens: tuple[str, ...]) -> bool:
    """Whether a subject's tokens fit a pattern of NATS's form (``*`` one token, a last ``>`` one or more)."""
    if pattern and pattern[-1] == ">":
        head = pattern[:-1]
        return len(tokens) > len(head) and matches(head, tokens[: len(head)])
    return len(pattern) == len(tokens) and all(p in ("*", t) for p, t in zip(pattern, tokens, strict=True))
