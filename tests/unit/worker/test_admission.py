"""Who may publish: limits of stream keys, bans with reasons, revoked keys, and the operator's own service."""

from collections.abc import Awaitable, Callable

import pytest

from cluster.questions import DisconnectCommand
from ingest.errors import PublishRefused
from ingest.interface import EndReason, PublishRequest
from media.roles import Role
from storage.catalogue.catalogue import Publisher
from storage.catalogue.records import FOREVER, StreamRecord
from tests.lab.waiting import run_until_idle
from tests.unit.worker.stage import STREAM, StationStage, status_of

DAY = 86_400.0
UNKNOWN = "unknown or revoked stream key: copy it again from `headwater create` or rotate-key"
Answer = Callable[[PublishRequest, Publisher | None], Awaitable[StreamRecord | None]]


class ScriptedHook:
    """Answers as ``answer`` does; by default it leaves everything to the key."""

    def __init__(self) -> None:
        self.asked: list[tuple[PublishRequest, Publisher | None]] = []
        self.answer: Answer | None = None

    async def ask(self, request: PublishRequest, publisher: Publisher | None) -> StreamRecord | None:
        self.asked.append((request, publisher))
        return None if self.answer is None else await self.answer(request, publisher)


async def refusal(stage: StationStage, key: str, address: str = "203.0.113.7:50114") -> str:
    with pytest.raises(PublishRefused) as refused:
        await stage.publish(key, address)
    return refused.value.text


async def test_an_expired_key_is_refused_with_its_date() -> None:
    stage = StationStage()
    await stage.create()
    now = stage.clock.unix()
    _, key = await stage.catalogue.keys.create(STREAM, "guest", now=now, expires_at=now + 60)
    link = await stage.publish(key)
    await stage.clock.advance(60)
    assert link.kicks == []
    assert (await refusal(stage, key)).startswith("the stream key guest expired on 2023-11-16 02:01")
    await stage.station.close()


async def test_a_key_is_refused_from_other_addresses() -> None:
    stage = StationStage()
    await stage.create()
    _, key = await stage.catalogue.keys.create(
        STREAM, "guest", now=stage.clock.unix(), networks=("203.0.113.0/24", "2001:db8::/32")
    )
    assert await refusal(stage, key, "198.51.100.1:5000") == (
        "the stream key guest is not valid from this address (198.51.100.1)"
    )
    assert "(2001:db9::7)" in await refusal(stage, key, "[2001:db9::7]:5000")
    await stage.publish(key, "[2001:db8::7]:5000")
    await run_until_idle()
    use = (await stage.catalogue.keys.uses(await stage.catalogue.get_stream(STREAM)))["guest"]
    assert (use.last_used_at, use.last_used_from) == (stage.clock.unix(), "2001:db8::7")
    await stage.station.close()


async def test_a_publisher_is_shown_with_the_name_of_its_key() -> None:
    stage = StationStage()
    await stage.create()
    _, key = await stage.catalogue.keys.create(STREAM, "guest", now=0)
    await stage.publish(key)
    status = await status_of(stage.cluster)
    assert status is not None and status.publisher is not None and status.publisher.key == "guest"
    await stage.station.close()
    (broadcast,) = await stage.catalogue.list_broadcasts(STREAM)
    started = (await stage.catalogue.find_events(STREAM, broadcast.broadcast)).events[0]
    assert started.text == "the broadcast started from 203.0.113.7:50114 with OBS, with the stream key guest"
    assert started.fields["key"] == "guest"


async def test_another_key_of_the_same_role_takes_over() -> None:
    stage = StationStage()
    first = await stage.publish(await stage.create())
    _, key = await stage.catalogue.keys.create(STREAM, "guest", now=0)
    await stage.publish(key)
    assert first.kicks == [(EndReason.TAKEN_OVER, "another publisher with another stream key took over")]
    await stage.station.close()
    (broadcast,) = await stage.catalogue.list_broadcasts(STREAM)
    texts = [event.text for event in (await stage.catalogue.find_events(STREAM, broadcast.broadcast)).events]
    assert any(text.startswith("another encoder with the stream key guest took over") for text in texts)


async def test_a_publisher_whose_key_is_revoked_is_disconnected_and_the_broadcast_ends() -> None:
    stage = StationStage()
    await stage.create()
    guest, key = await stage.catalogue.keys.create(STREAM, "guest", now=0)
    link = await stage.publish(key)
    await stage.cluster.ask_owner(STREAM, DisconnectCommand(key_hash="other", reason="?"), timeout=1)
    assert link.kicks == []
    await stage.catalogue.keys.revoke(STREAM, "guest")
    command = DisconnectCommand(key_hash=guest.key_hash, reason="the stream key guest was revoked")
    await stage.cluster.ask_owner(STREAM, command, timeout=1)
    assert link.kicks == [(EndReason.REVOKED, "the stream key guest was revoked")]
    assert await refusal(stage, key) == UNKNOWN
    await stage.station.close()
    (broadcast,) = await stage.catalogue.list_broadcasts(STREAM)
    assert broadcast.end_reason == "the stream key guest was revoked"


async def test_the_standby_goes_on_air_if_the_others_key_is_revoked() -> None:
    stage = StationStage()
    key = await stage.create()
    backup = await stage.catalogue.rotate_backup_key(STREAM, now=0)
    primary, standby = await stage.publish(key), await stage.publish(backup)
    revoked = await stage.catalogue.keys.revoke(STREAM, "primary")
    command = DisconnectCommand(key_hash=revoked.key_hash, reason="revoked")
    await stage.cluster.ask_owner(STREAM, command, timeout=1)
    assert (primary.kicks, standby.kicks) == ([(EndReason.REVOKED, "revoked")], [])
    status = await status_of(stage.cluster)
    assert status is not None and status.publisher is not None and status.publisher.role is Role.BACKUP
    await stage.station.close()


async def test_a_ban_is_refused_with_its_reason_and_its_length() -> None:
    stage = StationStage()
    key = await stage.create()
    now = stage.clock.unix()
    for until, reason, text in (
        (now + 90, "wrong scene", "the operator has banned this stream for another 90 s: wrong scene"),
        (FOREVER, "", "the operator has banned this stream"),
    ):
        await stage.catalogue.ban(STREAM, until, reason)
        assert await refusal(stage, key) == text
    await stage.catalogue.ban(STREAM, now + DAY)
    assert (await refusal(stage, key)).startswith("the operator has banned this stream until 2023-11-17")
    await stage.catalogue.ban(STREAM, None)
    await stage.publish(key)
    await stage.station.close()


async def test_the_service_is_asked_about_known_and_unknown_keys() -> None:
    hook = ScriptedHook()
    stage = StationStage(hook=hook)
    key = await stage.create()
    await stage.publish(key)
    assert await refusal(stage, "nonsense") == UNKNOWN
    (asked, publisher), (_, unknown) = hook.asked
    assert publisher is not None and publisher.record.stream == STREAM and asked.software == "OBS"
    assert unknown is None
    await stage.station.close()


async def test_the_service_may_refuse_or_choose_the_stream() -> None:
    hook = ScriptedHook()
    stage = StationStage(hook=hook)
    key = await stage.create()
    other = await stage.catalogue.create_keyless_stream("other", now=0)

    async def refuse(request: PublishRequest, publisher: Publisher | None) -> StreamRecord | None:
        raise PublishRefused("come back at noon")

    async def choose(request: PublishRequest, publisher: Publisher | None) -> StreamRecord | None:
        return other

    hook.answer = refuse
    assert await refusal(stage, key) == "come back at noon"
    hook.answer = choose
    await stage.publish("a key of the service")
    assert await stage.broadcast("other") is not None and await stage.broadcast() is None
    other = await stage.catalogue.ban("other", stage.clock.unix() + 60)
    assert "banned" in await refusal(stage, "a key of the service")
    await stage.station.close()


async def test_a_key_that_is_revoked_while_the_service_is_asked_is_refused() -> None:
    hook = ScriptedHook()
    stage = StationStage(hook=hook)
    key = await stage.create()

    async def revoke(request: PublishRequest, publisher: Publisher | None) -> StreamRecord | None:
        await stage.catalogue.rotate_key(STREAM, now=0)
        return None

    hook.answer = revoke
    assert await refusal(stage, key) == UNKNOWN


async def test_the_service_is_not_asked_about_keys_that_are_refused_anyway() -> None:
    hook = ScriptedHook()
    stage = StationStage(hook=hook)
    key = await stage.create()
    await stage.catalogue.ban(STREAM, stage.clock.unix() + 60)
    assert "banned" in await refusal(stage, key)
    assert hook.asked == []
