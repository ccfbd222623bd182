"""The dispatcher with a store in memory, a clock that a test moves, and targets that answer at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from control.hooks.dispatcher import DISABLED, FULL, LATE_S, MAX_DEAD, Dispatcher, HookParts, HookPlace
from control.hooks.manager import HookManager
from control.hooks.notices import Notice
from control.hooks.sender import Answer, Sender
from control.hooks.target import MAX_AT_ONCE, MAX_PENDING
from live.bus import Bus
from live.messages import BroadcastPlayable
from live.topics import EVENTS, MILESTONES, BroadcastRef
from storage.catalogue.events import Event
from storage.hooks.deliveries import Delivery, DeliveryNotFound
from storage.hooks.registry import Hook, HookDisabled, HookNotFound
from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore
from tests.lab.spans import Spans, attributes, ids
from tests.lab.waiting import run_until_idle
from tests.unit.worker.fakes import FakeClock

HOUR = 3600.0
NOTICE = Notice("stream.live", 0.0, {"stream": "studio"}, "studio")
OK, FAILED, GONE = Answer(0.1, 204), Answer(0.1, 500, "500 Internal Server Error"), Answer(0.1, 410, "410 Gone")
URL = "https://example.org/hook"


@dataclass(slots=True)
class Sent:
    url: str
    id: str
    type: str
    traceparent: str | None


class ScriptedSender(Sender):
    """Answers with ``answers``, then with ``OK``; calls of a URL in ``held`` wait for its event."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.held: dict[str, asyncio.Event] = {}
        self.sent: list[Sent] = []
        self.running = 0
        self.most_at_once = 0

    async def check(self, url: str) -> None:
        pass

    async def send(self, url: str, headers: "dict[str, str]", body: bytes) -> Answer:  # type: ignore[override]
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            if url in self.held:
                await self.held[url].wait()
        finally:
            self.running -= 1
        self.sent.append(Sent(url, headers["webhook-id"], json.loads(body)["type"], headers.get("traceparent")))
        return self.answers.pop(0) if self.answers else OK

    async def close(self) -> None:
        pass


@dataclass(slots=True)
class Stage:
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FakeClock = field(default_factory=FakeClock)
    sender: ScriptedSender = field(default_factory=ScriptedSender)
    bus: Bus = field(default_factory=Bus)
    outcomes: list[str] = field(default_factory=list)
    spans: Spans | None = None

    @asynccontextmanager
    async def server(self, owner: str = "a") -> AsyncIterator[tuple[Dispatcher, HookManager]]:
        parts = HookParts.of(self.store)
        dispatcher = Dispatcher(
            parts,
            self.bus,
            self.sender,
            HookPlace(owner, "https://media.example.org"),
            retry_for=lambda: HOUR,
            on_attempt=self.outcomes.append,
            clock=self.clock,
            tracing=self.spans.tracing if self.spans is not None else None,
        )
        await dispatcher.start()
        try:
            yield dispatcher, HookManager(parts, dispatcher, self.sender, clock=self.clock.unix)
        finally:
            await dispatcher.close()

    def keys(self, kind: str) -> list[str]:
        return [key for key in sorted(self.store.objects) if key.startswith(f"catalogue/hooks/{kind}/")]

    def types(self) -> list[str]:
        return [sent.type for sent in self.sender.sent]


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def add(manager: HookManager, url: str = URL, *, events: tuple[str, ...] = (), stream: str = "") -> Hook:
    return await manager.add(url, events, (stream,) if stream else ())


async def test_a_delivered_message_leaves_nothing_in_the_store(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        dispatcher.notify(NOTICE)
        await run_until_idle()
        assert stage.types() == ["stream.live"]
        assert (dispatcher.pending, stage.keys("pending"), stage.outcomes) == (0, [], ["delivered"])


async def test_the_bus_is_the_source(stage: Stage) -> None:
    async with stage.server() as (_, manager):
        await add(manager)
        ref = BroadcastRef("studio", "20261121t104105z-ab12cd")
        for code in ("started", "discontinuity", "warning", "ended"):
            stage.bus.publish(EVENTS, ref, Event(number=1, at=1.0, code=code, text="text"))
        stage.bus.publish(MILESTONES, ref, BroadcastPlayable())
        await run_until_idle()
        assert sorted(stage.types()) == ["publisher.connected", "stream.ended", "stream.live", "warning.raised"]


async def test_only_hooks_that_want_an_event_receive_it(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        for number, (events, stream) in enumerate(
            [((), ""), (("stream.live",), "studio"), (("stream.ended",), ""), ((), "other")]
        ):
            await add(manager, f"https://example.org/{number}", events=events, stream=stream)
        dispatcher.notify(NOTICE)
        dispatcher.notify(Notice("store.trouble", 0.0, {}))
        await run_until_idle()
        assert {(sent.url[-1], sent.type) for sent in stage.sender.sent} == {
            ("0", "stream.live"),
            ("1", "stream.live"),
            ("0", "store.trouble"),
            ("3", "store.trouble"),
        }


async def test_a_message_is_tried_again_until_it_arrives(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        stage.sender.answers = [FAILED, FAILED]
        dispatcher.notify(NOTICE)
        await run_until_idle()
        assert len(stage.sender.sent) == 1
        (key,) = stage.keys("pending")
        assert Delivery.model_validate_json(stage.store.body(key)).attempts == 1
        await stage.clock.advance(20)
        assert len({sent.id for sent in stage.sender.sent}) == 1
        assert stage.outcomes == ["retry", "retry", "delivered"]
        assert stage.keys("pending") == []
        attempts = await manager.attempts(hook.id, 10)
        assert [(each.attempt, each.status, each.error) for each in attempts] == [
            (3, 204, None),
            (2, 500, "500 Internal Server Error"),
            (1, 500, "500 Internal Server Error"),
        ]


async def test_after_its_time_a_message_is_dead_and_can_be_replayed(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        stage.sender.answers = [FAILED] * 100
        dispatcher.notify(NOTICE)
        await stage.clock.advance(HOUR)
        assert (dispatcher.pending, dispatcher.dead, stage.keys("pending")) == (0, 1, [])
        (dead,) = await manager.dead(hook.id, 10)
        assert (dead.error, dead.attempts) == ("500 Internal Server Error", len(stage.sender.sent))
        assert 8 < dead.attempts < 14
        stage.sender.answers = []
        with pytest.raises(DeliveryNotFound):
            await manager.replay(hook.id, "msg_000000000000_000000000000")
        assert await manager.replay(hook.id, dead.id) == 1
        await run_until_idle()
        assert stage.outcomes[-1] == "delivered"
        assert (stage.keys("pending"), stage.keys("dead"), dispatcher.dead) == ([], [], 0)
        assert {sent.id for sent in stage.sender.sent} == {dead.id}


async def test_a_slow_target_has_few_requests_and_delays_no_other(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager, "https://example.org/slow")
        await add(manager, "https://example.org/fast")
        stage.sender.held["https://example.org/slow"] = asyncio.Event()
        for _ in range(20):
            dispatcher.notify(NOTICE)
        for _ in range(5):
            await run_until_idle()
        assert [sent.url for sent in stage.sender.sent] == ["https://example.org/fast"] * 20
        assert (stage.sender.running, dispatcher.pending) == (MAX_AT_ONCE, 20)
        stage.sender.held["https://example.org/slow"].set()
        for _ in range(5):
            await run_until_idle()
        assert dispatcher.pending == 0


async def test_a_busy_target_gets_nothing_until_its_time(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        stage.sender.answers = [Answer(0.1, 429, "429 Too Many Requests", retry_after_s=60)]
        dispatcher.notify(NOTICE)
        await run_until_idle()
        dispatcher.notify(NOTICE)
        await stage.clock.advance(59)
        assert len(stage.sender.sent) == 1
        await stage.clock.advance(2)
        assert len(stage.sender.sent) == 3


async def test_messages_beyond_the_queue_are_dead_at_once(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        await run_until_idle()
        stage.sender.held[URL] = asyncio.Event()
        for _ in range(MAX_PENDING + 2):
            dispatcher.notify(NOTICE)
        while len(stage.keys("pending")) < MAX_PENDING or len(stage.keys("dead")) < 2:
            await run_until_idle()
        assert (dispatcher.pending, dispatcher.dead) == (MAX_PENDING, 2)
        assert [each.error for each in await manager.dead(hook.id, 10)] == [FULL] * 2


async def test_a_store_that_is_away_delays_messages_by_seconds_and_loses_none(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        stage.store.failing = StoreUnavailable("down")
        stage.sender.answers = [OK, FAILED]
        dispatcher.notify(NOTICE)
        await run_until_idle()
        assert stage.sender.sent == []
        await stage.clock.advance(2)
        assert len(stage.sender.sent) == 1
        dispatcher.notify(NOTICE)
        await stage.clock.advance(2)
        assert stage.outcomes == ["delivered", "retry"]
        stage.store.failing = None
        await stage.clock.advance(2)
        assert len(stage.keys("pending")) == 1
        await stage.clock.advance(10)
        assert (stage.outcomes, stage.keys("pending")) == (["delivered", "retry", "delivered"], [])


async def test_a_store_that_is_away_is_asked_seldom(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        await run_until_idle()
        stage.store.failing = StoreUnavailable("down")
        before = len(stage.store.keys_of("put"))
        for _ in range(40):
            dispatcher.notify(NOTICE)
        await stage.clock.advance(25)
        assert stage.outcomes == ["delivered"] * 40
        assert len(stage.store.keys_of("put")) - before < 40
        stage.store.failing = None
        await stage.clock.advance(10)


async def test_a_store_that_hangs_delays_messages_by_seconds(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        stage.store.gate.clear()
        dispatcher.notify(NOTICE)
        await stage.clock.advance(3)
        assert stage.outcomes == ["delivered"]
        stage.store.gate.set()
        await run_until_idle()
        assert stage.keys("pending") == []


async def test_a_restart_takes_up_what_waits(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        stage.sender.answers = [FAILED]
        dispatcher.notify(NOTICE)
        await run_until_idle()
    async with stage.server() as (dispatcher, _):
        await run_until_idle()
        assert dispatcher.pending == 1
        await stage.clock.advance(5)
        assert len({sent.id for sent in stage.sender.sent}) == 1
        assert (len(stage.sender.sent), stage.keys("pending")) == (2, [])


async def test_another_server_takes_over_what_is_late_and_nothing_else(stage: Stage) -> None:
    async with stage.server("a") as (dispatcher, manager):
        await add(manager)
        stage.sender.answers = [FAILED]
        dispatcher.notify(NOTICE)
        await run_until_idle()
    async with stage.server("b") as (dispatcher, _):
        await stage.clock.advance(LATE_S)
        assert (len(stage.sender.sent), dispatcher.pending) == (1, 0)
        await stage.clock.advance(60)
        assert (len(stage.sender.sent), stage.keys("pending")) == (2, [])


async def test_a_server_forgets_what_another_took_over(stage: Stage) -> None:
    async with stage.server("a") as (dispatcher, manager):
        await add(manager)
        stage.sender.answers = [FAILED] * 2
        dispatcher.notify(NOTICE)
        await run_until_idle()
        (key,) = stage.keys("pending")
        taken = Delivery.model_validate_json(stage.store.body(key)).model_copy(update={"owner": "b"})
        await stage.store.put(key, taken.model_dump_json().encode())
        await stage.clock.advance(5)
        assert (dispatcher.pending, len(stage.sender.sent)) == (0, 2)
        assert Delivery.model_validate_json(stage.store.body(key)).owner == "b"


async def test_a_target_that_is_gone_disables_its_hook(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        stage.sender.answers = [FAILED, GONE]
        dispatcher.notify(NOTICE)
        await run_until_idle()
        dispatcher.notify(NOTICE)
        await run_until_idle()
        assert (dispatcher.pending, stage.outcomes) == (0, ["retry", "dead", "dead"])
        assert {each.error for each in await manager.dead(hook.id, 10)} == {"410 Gone", DISABLED}
        dispatcher.notify(NOTICE)
        await stage.clock.advance(60)
        assert len(stage.sender.sent) == 2
        with pytest.raises(HookDisabled):
            await manager.replay(hook.id, None)
        await manager.change(hook.id, lambda found: found.model_copy(update={"disabled_reason": None}))
        assert await manager.replay(hook.id, None) == 2
        await run_until_idle()
        assert (len(stage.sender.sent), dispatcher.dead) == (4, 0)


async def test_a_message_that_is_being_put_aside_is_not_replayed(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        await run_until_idle()
        stage.sender.answers = [FAILED, GONE]
        dispatcher.notify(NOTICE)
        await run_until_idle()
        (key,) = stage.keys("pending")
        held = stage.store.hold[key] = asyncio.Event()
        await stage.clock.advance(5)
        (dead,) = await manager.dead(hook.id, 10)
        await manager.change(hook.id, lambda found: found.model_copy(update={"disabled_reason": None}))
        replayed = asyncio.create_task(manager.replay(hook.id, dead.id))
        await stage.clock.advance(3)
        with pytest.raises(StoreUnavailable, match="try again"):
            await replayed
        held.set()
        await run_until_idle()
        assert await manager.replay(hook.id, dead.id) == 1
        await run_until_idle()
        assert (stage.outcomes[-1], stage.keys("pending"), stage.keys("dead")) == ("delivered", [], [])


async def test_a_removed_hook_takes_its_messages_with_it(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        stage.sender.answers = [FAILED] * 3
        dispatcher.notify(NOTICE)
        await run_until_idle()
        dead = Delivery.model_validate_json(stage.store.body(stage.keys("pending")[0]))
        await HookParts.of(stage.store).deliveries.bury(dead)
        await manager.attempts(hook.id, 1)
        await manager.remove(hook.id)
        await run_until_idle()
        assert (dispatcher.pending, stage.keys("pending")) == (0, [])
        await dispatcher.scan()
        assert stage.keys("dead") == []
        with pytest.raises(HookNotFound):
            await manager.test(hook.id)


async def test_the_oldest_dead_messages_are_removed(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook, parts = await add(manager), HookParts.of(stage.store)
        for number in range(MAX_DEAD + 3):
            name = f"msg_{number:012x}_9f86d081a1b2"
            values = {"hook": hook.id, "event": "a", "body": "{}", "owner": "a", "id": name}
            times = dict.fromkeys(("created_at", "expires_at", "due_at"), 1.0)
            await parts.deliveries.bury(Delivery.model_validate({**values, **times}))
        await dispatcher.scan()
        assert dispatcher.dead == len(stage.keys("dead")) == MAX_DEAD
        assert stage.keys("dead")[0].endswith(f"msg_{3:012x}_9f86d081a1b2.json")


async def test_hooks_of_other_servers_are_known_within_seconds(stage: Stage) -> None:
    async with stage.server("a") as (_, one), stage.server("b") as (other, _):
        await add(one)
        await stage.clock.advance(6)
        other.notify(NOTICE)
        await run_until_idle()
        assert stage.types() == ["stream.live"]


async def test_an_emptied_store_gets_the_hooks_again(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        stage.store.objects.clear()
        dispatcher.notify(Notice("store.trouble", 0.0, {}))
        await stage.clock.advance(6)
        assert stage.types() == ["store.trouble"]
        assert [status.hook for status in await manager.statuses()] == [hook]


async def test_a_test_is_sent_once_and_logged(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        stage.sender.answers = [FAILED]
        attempt = await manager.test(hook.id)
        assert (attempt.event, attempt.outcome, attempt.error) == ("hook.test", "failed", FAILED.error)
        assert await manager.attempts(hook.id, 10) == [attempt]
        assert (dispatcher.pending, stage.outcomes, stage.types()) == (0, ["failed"], ["hook.test"])


async def test_what_the_store_never_took_is_counted_as_lost(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("dispatcher", "target"):
        monkeypatch.setattr(f"control.hooks.{module}.CLOSE_S", 0.01)
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        stage.store.failing = StoreUnavailable("down")
        dispatcher.notify(NOTICE)
        await run_until_idle()
    assert stage.outcomes == ["lost"]


async def test_a_store_that_answers_again_while_the_server_ends_gets_what_waits(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        await run_until_idle()
        stage.sender.answers = [FAILED]
        stage.store.failing = StoreUnavailable("down")
        dispatcher.notify(NOTICE)
        await stage.clock.advance(3)
        stage.store.failing = None
    assert (stage.outcomes, len(stage.keys("pending"))) == (["retry"], 1)


async def test_a_damaged_message_is_left_out(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        key = f"catalogue/hooks/pending/{hook.id}/msg_000000000000_000000000000.json"
        await stage.store.put(key, b"{")
        await dispatcher.scan()
        assert dispatcher.pending == 0


async def test_each_attempt_is_a_span_that_the_target_continues(stage: Stage) -> None:
    stage.spans = spans = Spans(0.0)
    stage.sender.answers = [FAILED]
    async with stage.server() as (dispatcher, manager):
        hook = await add(manager)
        dispatcher.notify(NOTICE)
        await run_until_idle()
        await stage.clock.advance(HOUR)
        await run_until_idle()
    failed, delivered = spans.finished
    assert [sent.traceparent for sent in stage.sender.sent] == [
        f"00-{ids(span)[0]}-{ids(span)[1]}-01" for span in spans.finished
    ]
    of_all = {"hook": hook.id, "event": "stream.live", "stream": "studio"}
    assert attributes(failed) == {**of_all, "attempt": 1, "http.response.status_code": 500, "error.type": "500"}
    assert attributes(delivered) == {**of_all, "attempt": 2, "http.response.status_code": 204}
    assert "example.org" not in failed.to_json() + delivered.to_json()


async def test_without_traces_a_message_has_no_traceparent(stage: Stage) -> None:
    async with stage.server() as (dispatcher, manager):
        await add(manager)
        dispatcher.notify(NOTICE)
        await run_until_idle()
    assert [sent.traceparent for sent in stage.sender.sent] == [None]
