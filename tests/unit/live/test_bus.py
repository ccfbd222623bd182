import asyncio
import logging

import pytest
from pydantic import BaseModel

from live.bus import MemoryBus, matches
from live.bus_interface import Bus, NoResponder, RequestTimeout


class Note(BaseModel):
    text: str


def test_is_a_bus() -> None:
    bus: Bus = MemoryBus()
    assert bus.state.items() == []


def test_messages_arrive_in_order_at_every_subscriber() -> None:
    bus = MemoryBus()
    seen: list[tuple[str, str, object]] = []
    bus.subscribe("media.a.1", lambda subject, message: seen.append(("exact", subject, message)))
    bus.subscribe("media.*.1", lambda subject, message: seen.append(("star", subject, message)))
    bus.publish("media.a.1", 1)
    bus.publish("media.b.1", 2)
    assert seen == [("exact", "media.a.1", 1), ("star", "media.a.1", 1), ("star", "media.b.1", 2)]


def test_a_closed_subscription_is_silent() -> None:
    bus = MemoryBus()
    seen: list[object] = []
    for subject in ("a.b", "a.>"):
        subscription = bus.subscribe(subject, lambda _, message: seen.append(message))
        bus.publish("a.b", subject)
        subscription.close()
        bus.publish("a.b", "after")
    assert seen == ["a.b", "a.>"]


def test_a_failing_subscriber_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bus = MemoryBus()
    seen: list[object] = []

    def fail(subject: str, message: object) -> None:
        raise RuntimeError("broken")

    bus.subscribe("x", fail)
    bus.subscribe("x", lambda _, message: seen.append(message))
    with caplog.at_level(logging.CRITICAL):
        bus.publish("x", 1)
    assert seen == [1]


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        ("*.b", "a.b", True),
        ("*.b", "a.c", False),
    ],
)
def test_patterns(pattern: str, subject: str, expected: bool) -> None:
    assert matches(tuple(pattern.split(".")), tuple(subject.split("."))) is expected


async def test_request_reaches_the_responder_until_it_stops() -> None:
    bus = MemoryBus()

    async def echo(message: BaseModel) -> BaseModel:
        return message

    with pytest.raises(NoResponder):
        await bus.request("command.a", Note(text="x"), timeout=1)
    serving = bus.serve("command.a", echo)
    assert await bus.request("command.a", Note(text="x"), timeout=1) == Note(text="x")
    serving.close()
    with pytest.raises(NoResponder):
        await bus.request("command.a", Note(text="x"), timeout=1)


async def test_a_silent_responder_times_out() -> None:
    bus = MemoryBus()

    async def never(message: BaseModel) -> BaseModel:
        await asyncio.Event().wait()
        return message

    bus.serve("command.a", never)
    with pytest.raises(RequestTimeout):
        await bus.request("command.a", Note(text="x"), timeout=0.01)


def test_live_state() -> None:
    state = MemoryBus().state
    state.put("stream.b", Note(text="b"))
    state.put("stream.a", Note(text="a"))
    state.put("history.a", Note(text="h"))
    assert state.items("stream.") == [("stream.a", Note(text="a")), ("stream.b", Note(text="b"))]
    state.delete("stream.a")
    state.delete("stream.a")
    assert state.get("stream.a") is None
