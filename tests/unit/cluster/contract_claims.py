"""The contract of claims, watches and nodes."""

import asyncio
from dataclasses import replace

import pytest

from cluster.claims import ChangeKind, Claim, ClaimState, NodeState
from cluster.errors import (
    AlreadyClaimed,
    ClaimLost,
    ClusterUnavailable,
)
from cluster.questions import StatusQuery
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import FIRST, SECOND, STREAM, TIMEOUT, Connect, changes, node, read_all


class ClaimContract:
    async def test_a_claim_names_its_owner(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        assert await b.owner_of(STREAM) is None
        claim = await a.claim(STREAM, FIRST, FakeOwner())
        assert (claim.stream, claim.broadcast, claim.epoch, claim.state) == (STREAM, FIRST, 1, ClaimState.LIVE)
        assert (claim.node, claim.address) == (a.node.name, a.node.address)
        assert await a.owner_of(STREAM) == await b.owner_of(STREAM) == claim

    async def test_one_of_many_concurrent_claims_wins(self, connect: Connect) -> None:
        nodes = [await connect(node(name)) for name in "abc"]
        results = await asyncio.gather(
            *(each.claim(STREAM, FIRST, FakeOwner()) for each in nodes * 4), return_exceptions=True
        )
        won = [result for result in results if isinstance(result, Claim)]
        lost = [result for result in results if isinstance(result, AlreadyClaimed)]
        assert (len(won), len(lost)) == (1, 11)
        assert {error.claim for error in lost} == {await nodes[0].owner_of(STREAM)} == set(won)

    async def test_claims_of_different_streams_are_independent(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        second = await b.claim("two", FIRST, FakeOwner())
        first = await a.claim("one", FIRST, FakeOwner())
        assert await a.claims() == await b.claims() == (first, second)
        await a.release(first)
        assert await b.claims() == (second,)

    async def test_a_released_stream_can_be_claimed_by_any_node_and_the_epoch_continues(
        self, connect: Connect
    ) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        first = await a.claim(STREAM, FIRST, FakeOwner())
        await a.release(first)
        assert await b.owner_of(STREAM) is None
        second = await b.claim(STREAM, SECOND, FakeOwner())
        await b.release(second)
        third = await b.claim(STREAM, SECOND, FakeOwner())
        assert first.epoch < second.epoch < third.epoch
        assert first.revision < second.revision < third.revision

    async def test_a_change_of_state_increases_the_revision_and_keeps_the_epoch(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        claim = await a.claim(STREAM, FIRST, FakeOwner())
        waiting = await a.update(claim, ClaimState.WAITING)
        assert waiting.revision > claim.revision
        assert waiting == replace(claim, state=ClaimState.WAITING, revision=waiting.revision)
        assert await b.owner_of(STREAM) == waiting
        live = await a.update(waiting, ClaimState.LIVE)
        assert (live.state, live.epoch) == (ClaimState.LIVE, claim.epoch)
        assert live.revision > waiting.revision

    async def test_a_stream_whose_broadcast_is_ending_can_be_claimed(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        first = await a.claim(STREAM, FIRST, FakeOwner())
        ending = await a.update(first, ClaimState.ENDING)
        second = await b.claim(STREAM, SECOND, FakeOwner())
        assert (second.broadcast, second.epoch) == (SECOND, first.epoch + 1)
        with pytest.raises(ClaimLost):
            await a.release(ending)
        assert await a.owner_of(STREAM) == second

    async def test_a_stream_that_waits_for_its_publisher_cannot_be_claimed(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        waiting = await a.update(await a.claim(STREAM, FIRST, FakeOwner()), ClaimState.WAITING)
        with pytest.raises(AlreadyClaimed) as refused:
            await b.claim(STREAM, SECOND, FakeOwner())
        assert refused.value.claim == waiting

    async def test_a_takeover_begins_the_next_epoch(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        first = await a.claim(STREAM, FIRST, FakeOwner())
        second = await b.take_over(first, FIRST, FakeOwner())
        assert (second.node, second.broadcast, second.epoch) == (b.node.name, FIRST, first.epoch + 1)
        assert second.revision > first.revision
        assert await a.owner_of(STREAM) == second

    async def test_one_of_many_concurrent_takeovers_wins(self, connect: Connect) -> None:
        a, b, c = [await connect(node(name)) for name in "abc"]
        first = await a.claim(STREAM, FIRST, FakeOwner())
        results = await asyncio.gather(
            *(each.take_over(first, FIRST, FakeOwner()) for each in [b, c] * 4), return_exceptions=True
        )
        won = [result for result in results if isinstance(result, Claim)]
        assert len(won) == 1
        assert sum(isinstance(result, ClaimLost) for result in results) == 7
        assert await a.owner_of(STREAM) == won[0]

    async def test_a_stale_claim_cannot_change_anything(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        stale = await a.claim(STREAM, FIRST, FakeOwner())
        current = await b.take_over(stale, SECOND, FakeOwner())
        for attempt in (
            a.release(stale),
            a.update(stale, ClaimState.ENDING),
            a.take_over(stale, FIRST, FakeOwner()),
        ):
            with pytest.raises(ClaimLost):
                await attempt
        assert await a.claims() == (current,)

    async def test_an_older_revision_of_the_own_claim_is_stale(self, connect: Connect) -> None:
        a = await connect(node("a"))
        first = await a.claim(STREAM, FIRST, FakeOwner())
        current = await a.update(first, ClaimState.WAITING)
        with pytest.raises(ClaimLost):
            await a.update(first, ClaimState.LIVE)
        with pytest.raises(ClaimLost):
            await a.release(first)
        assert await a.owner_of(STREAM) == current
        await a.release(current)
        with pytest.raises(ClaimLost):
            await a.release(current)

    async def test_a_claim_outlives_its_node_until_it_is_taken_over(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        claim = await a.claim(STREAM, FIRST, FakeOwner())
        await a.close()
        assert await b.owner_of(STREAM) == claim
        with pytest.raises(AlreadyClaimed):
            await b.claim(STREAM, SECOND, FakeOwner())
        assert (await b.take_over(claim, FIRST, FakeOwner())).epoch == claim.epoch + 1

    # Watches.

    async def test_a_watch_begins_with_the_current_claims_and_yields_every_change_in_order(
        self, connect: Connect
    ) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        other = await a.claim("other", FIRST, FakeOwner())
        watch = await b.watch()
        assert watch.present == (other,)
        first = await a.claim(STREAM, FIRST, FakeOwner())
        moved = await b.take_over(first, FIRST, FakeOwner())
        waiting = await b.update(moved, ClaimState.WAITING)
        await b.release(waiting)
        await a.claim(STREAM, SECOND, FakeOwner())
        assert await changes(watch, 5) == [
            (ChangeKind.CLAIMED, "a", first.epoch),
            (ChangeKind.MOVED, "b", first.epoch + 1),
            (ChangeKind.UPDATED, "b", first.epoch + 1),
            (ChangeKind.RELEASED, "b", first.epoch + 1),
            (ChangeKind.CLAIMED, "a", first.epoch + 2),
        ]
        await watch.aclose()

    async def test_a_claim_that_replaces_an_ending_one_is_a_move(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        await a.update(await a.claim(STREAM, FIRST, FakeOwner()), ClaimState.ENDING)
        watch = await a.watch()
        claim = await b.claim(STREAM, SECOND, FakeOwner())
        assert await changes(watch, 1) == [(ChangeKind.MOVED, "b", claim.epoch)]
        await watch.aclose()

    async def test_a_watch_waits_for_the_next_change(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        watch = await b.watch()
        waiting = asyncio.create_task(changes(watch, 1))
        await asyncio.sleep(0)
        assert not waiting.done()
        claim = await a.claim(STREAM, FIRST, FakeOwner())
        assert await waiting == [(ChangeKind.CLAIMED, "a", claim.epoch)]
        await watch.aclose()

    async def test_closing_a_watch_ends_its_iteration(self, connect: Connect) -> None:
        a = await connect(node("a"))
        watch, other = await a.watch(), await a.watch()
        waiting = asyncio.create_task(read_all(watch))
        await asyncio.sleep(0)
        await watch.aclose()
        assert await asyncio.wait_for(waiting, TIMEOUT) == 0
        await a.claim(STREAM, FIRST, FakeOwner())
        assert await read_all(watch) == 0
        assert len(await changes(other, 1)) == 1
        await other.aclose()

    async def test_leaving_the_cluster_ends_the_watches(self, connect: Connect) -> None:
        a = await connect(node("a"))
        waiting = asyncio.create_task(read_all(await a.watch()))
        await asyncio.sleep(0)
        await a.close()
        assert await asyncio.wait_for(waiting, TIMEOUT) == 0

    async def test_every_node_lists_all_nodes(self, connect: Connect) -> None:
        b = await connect(node("b"))
        joined = replace(node("a"), roles=("ingest",), zone="south", version="1.2.4", state=NodeState.DRAINING)
        a = await connect(joined)
        assert a.node == joined
        assert await a.nodes() == await b.nodes() == (joined, node("b"))

    async def test_a_node_that_leaves_is_no_longer_listed(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        await a.close()
        assert await b.nodes() == (node("b"),)
        again = await connect(node("a"))
        assert await again.nodes() == await b.nodes() == (node("a"), node("b"))

    async def test_a_node_that_has_left_cannot_use_the_cluster(self, connect: Connect) -> None:
        a, b = await connect(node("a")), await connect(node("b"))
        claim = await a.claim(STREAM, FIRST, FakeOwner())
        await a.close()
        await a.close()
        for attempt in (
            a.claim("other", FIRST, FakeOwner()),
            a.take_over(claim, FIRST, FakeOwner()),
            a.update(claim, ClaimState.ENDING),
            a.release(claim),
            a.owner_of(STREAM),
            a.claims(),
            a.watch(),
            a.nodes(),
            a.ask_owner(STREAM, StatusQuery(), timeout=TIMEOUT),
        ):
            with pytest.raises(ClusterUnavailable):
                await attempt
        assert await b.claims() == (claim,)
