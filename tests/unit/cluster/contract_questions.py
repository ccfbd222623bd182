"""The contract of questions to owners."""

import asyncio
from typing import ClassVar, assert_type

import pytest

from cluster.claims import ClaimState
from cluster.errors import (
    ClaimLost,
    NoOwner,
    OwnerFailed,
    OwnerTimeout,
)
from cluster.questions import (
    DisconnectCommand,
    Done,
    HistoryQuery,
    KillCommand,
    LatencyQuery,
    StatusQuery,
    SwitchCommand,
    Switching,
    ThumbnailQuery,
)
from live.status import History, Latencies, StreamState, StreamStatus, Thumbnail
from media.errors import HeadwaterError
from media.roles import Role
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import FIRST, STREAM, TIMEOUT, Connect, node, until


class BusyStore(HeadwaterError):
    code: ClassVar[str] = "busy-store"


class QuestionContract:
    async def test_every_question_has_its_own_type_of_answer(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        owner = FakeOwner(StreamStatus(stream=STREAM, state=StreamState.WAITING))
        owner.picture = Thumbnail(jpeg=b"\xff\xd8\xff\xd9", at=7.5)
        await a.claim(STREAM, FIRST, owner)
        for asker in (a, b):
            status = await asker.ask_owner(STREAM, StatusQuery(), timeout=TIMEOUT)
            history = await asker.ask_owner(STREAM, HistoryQuery(), timeout=TIMEOUT)
            latencies = await asker.ask_owner(STREAM, LatencyQuery(), timeout=TIMEOUT)
            thumbnail = await asker.ask_owner(STREAM, ThumbnailQuery(), timeout=TIMEOUT)
            switching = await asker.ask_owner(STREAM, SwitchCommand(), timeout=TIMEOUT)
            disconnected = await asker.ask_owner(
                STREAM, DisconnectCommand(key_hash="00", reason="revoked"), timeout=TIMEOUT
            )
            done = await asker.ask_owner(STREAM, KillCommand(reason=asker.node.name), timeout=TIMEOUT)
            assert assert_type(status, StreamStatus) == owner.current
            assert assert_type(history, History) == owner.samples
            assert assert_type(latencies, Latencies) == owner.stages
            assert assert_type(thumbnail, Thumbnail) == owner.picture
            assert assert_type(switching, Switching) == Switching(to=Role.BACKUP)
            assert assert_type(disconnected, Done) == Done()
            assert assert_type(done, Done) == Done()
        assert owner.kills == ["a", "b"]
        assert owner.disconnects == [("00", "revoked")] * 2

    async def test_an_unclaimed_stream_has_no_owner_to_answer(self, connect: Connect) -> None:
        a = await connect(node("a"))
        with pytest.raises(NoOwner):
            await a.ask_owner(STREAM, StatusQuery(), timeout=TIMEOUT)
        claim = await a.claim(STREAM, FIRST, FakeOwner())
        await a.release(claim)
        with pytest.raises(NoOwner):
            await a.ask_owner(STREAM, StatusQuery(), timeout=TIMEOUT)

    async def test_an_ending_broadcast_has_no_owner_to_answer(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        await a.update(await a.claim(STREAM, FIRST, FakeOwner()), ClaimState.ENDING)
        with pytest.raises(NoOwner):
            await b.ask_owner(STREAM, StatusQuery(), timeout=TIMEOUT)

    async def test_a_node_that_has_left_does_not_answer(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        await a.claim(STREAM, FIRST, FakeOwner())
        await a.close()
        with pytest.raises(NoOwner):
            await b.ask_owner(STREAM, StatusQuery(), timeout=TIMEOUT)

    async def test_after_a_takeover_only_the_new_owner_is_asked(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        old, new = FakeOwner(), FakeOwner()
        claim = await a.claim(STREAM, FIRST, old)
        await b.take_over(claim, FIRST, new)
        for asker in (a, b):
            await asker.ask_owner(STREAM, KillCommand(), timeout=TIMEOUT)
        assert (len(old.kills), len(new.kills)) == (0, 2)

    async def test_a_stale_release_does_not_affect_the_new_owner(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        claim = await a.claim(STREAM, FIRST, FakeOwner())
        await b.take_over(claim, FIRST, FakeOwner())
        with pytest.raises(ClaimLost):
            await a.release(claim)
        assert await a.ask_owner(STREAM, KillCommand(), timeout=TIMEOUT) == Done()

    async def test_a_declared_error_of_the_owner_arrives_with_its_code(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        owner = FakeOwner()
        owner.failure = BusyStore("the store is busy")
        await a.claim(STREAM, FIRST, owner)
        with pytest.raises(OwnerFailed) as failed:
            await b.ask_owner(STREAM, ThumbnailQuery(), timeout=TIMEOUT)
        assert (failed.value.code, str(failed.value)) == ("busy-store", "the store is busy")

    async def test_a_fault_of_the_owner_arrives_as_a_declared_error(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        owner = FakeOwner()
        owner.failure = TimeoutError("secret details")
        await a.claim(STREAM, FIRST, owner)
        with pytest.raises(OwnerFailed) as failed:
            await b.ask_owner(STREAM, ThumbnailQuery(), timeout=TIMEOUT)
        assert failed.value.code == "owner-failed"
        assert "secret" not in str(failed.value)

    async def test_an_owner_whose_broadcast_has_ended_refuses_to_answer(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        owner = FakeOwner()
        owner.failure = NoOwner("the broadcast has ended")
        await a.claim(STREAM, FIRST, owner)
        with pytest.raises(NoOwner):
            await b.ask_owner(STREAM, StatusQuery(), timeout=TIMEOUT)

    async def test_an_owner_that_is_too_slow_is_cancelled(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        owner = FakeOwner()
        owner.gate.clear()
        await a.claim(STREAM, FIRST, owner)
        with pytest.raises(OwnerTimeout) as late:
            await b.ask_owner(STREAM, KillCommand(), timeout=0.05)
        assert late.value.code == "request-timeout"
        await until(lambda: owner.cancelled == 1)
        assert owner.kills == []

    async def test_an_asker_that_is_cancelled_cancels_the_answer(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        owner = FakeOwner()
        owner.gate.clear()
        await a.claim(STREAM, FIRST, owner)
        asking = asyncio.create_task(b.ask_owner(STREAM, KillCommand(), timeout=TIMEOUT))
        await asyncio.wait_for(owner.called.wait(), TIMEOUT)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: owner.cancelled == 1)
        assert owner.kills == []

    @pytest.mark.parametrize("end", ["release", "ending", "take over", "leave"])
    async def test_a_question_fails_if_its_owner_stops(self, connect: Connect, end: str) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        owner = FakeOwner()
        owner.gate.clear()
        claim = await a.claim(STREAM, FIRST, owner)
        asking = asyncio.create_task(b.ask_owner(STREAM, ThumbnailQuery(), timeout=TIMEOUT))
        await asyncio.wait_for(owner.called.wait(), TIMEOUT)
        if end == "release":
            await a.release(claim)
        elif end == "ending":
            await a.update(claim, ClaimState.ENDING)
        elif end == "take over":
            await b.take_over(claim, FIRST, FakeOwner())
        else:
            await a.close()
        with pytest.raises(NoOwner):
            await asking
        await until(lambda: owner.cancelled == 1)

    async def test_many_questions_are_answered_at_the_same_time(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        owner = FakeOwner()
        owner.gate.clear()
        await a.claim(STREAM, FIRST, owner)
        asking = [asyncio.create_task(b.ask_owner(STREAM, StatusQuery(), timeout=TIMEOUT)) for _ in range(50)]
        await asyncio.wait_for(owner.called.wait(), TIMEOUT)
        owner.gate.set()
        assert await asyncio.gather(*asking) == [owner.current] * 50
