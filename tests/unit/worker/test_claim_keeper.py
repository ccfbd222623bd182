"""The claim on a stream: obtaining it, and writing its states in order."""

import pytest

from cluster.claims import Claim, ClaimState
from cluster.errors import AlreadyClaimed, ClaimLost
from cluster.memory import MemoryCluster, MemoryState
from cluster.questions import StreamOwner
from tests.lab.waiting import run_until_idle
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node
from tests.unit.worker.gated_cluster import GatedCluster
from worker.claim_keeper import ATTEMPTS, ClaimKeeper, claim_stream

STREAM, FIRST, SECOND = "studio", "20261121t104105z-ab12cd", "20261121t114105z-ef34ab"


class Stage:
    """A claim and its keeper."""

    def __init__(self, cluster: GatedCluster, claim: Claim) -> None:
        self.cluster = cluster
        self.losses = 0
        self.keeper = ClaimKeeper(cluster, claim, on_lost=self._on_lost)

    @classmethod
    async def start(cls) -> "Stage":
        cluster = GatedCluster()
        return cls(cluster, await claim_stream(cluster, STREAM, FIRST, FakeOwner()))

    def _on_lost(self) -> None:
        self.losses += 1

    async def state(self) -> ClaimState | None:
        claim = await self.cluster.owner_of(STREAM)
        return None if claim is None else claim.state


async def test_states_are_written_without_repetitions() -> None:
    stage = await Stage.start()
    for state in (ClaimState.LIVE, ClaimState.WAITING, ClaimState.WAITING, ClaimState.LIVE):
        stage.keeper.set_state(state)
        await run_until_idle()
        assert await stage.state() is state
    assert stage.cluster.written == [ClaimState.WAITING, ClaimState.LIVE]


async def test_while_a_write_waits_only_the_newest_state_is_kept() -> None:
    stage = await Stage.start()
    stage.cluster.gate.clear()
    stage.keeper.set_state(ClaimState.WAITING)
    await run_until_idle()
    for state in (ClaimState.LIVE, ClaimState.WAITING, ClaimState.ENDING):
        stage.keeper.set_state(state)
    stage.cluster.gate.set()
    await run_until_idle()
    assert stage.cluster.written == [ClaimState.WAITING, ClaimState.ENDING]
    assert await stage.state() is ClaimState.ENDING


async def test_the_release_follows_the_last_write() -> None:
    stage = await Stage.start()
    stage.keeper.set_state(ClaimState.ENDING)
    await stage.keeper.release()
    assert stage.cluster.written == [ClaimState.ENDING]
    assert await stage.state() is None
    assert stage.losses == 0


async def test_after_a_failed_write_the_next_state_is_written() -> None:
    stage = await Stage.start()
    stage.cluster.unreachable = True
    stage.keeper.set_state(ClaimState.WAITING)
    await run_until_idle()
    assert await stage.state() is ClaimState.LIVE
    stage.cluster.unreachable = False
    stage.keeper.set_state(ClaimState.ENDING)
    await run_until_idle()
    assert await stage.state() is ClaimState.ENDING


async def test_after_a_failed_release_the_next_broadcast_replaces_the_claim() -> None:
    stage = await Stage.start()
    stage.cluster.unreachable = True
    await stage.keeper.release()
    stage.cluster.unreachable = False
    assert await stage.state() is ClaimState.LIVE
    assert (await claim_stream(stage.cluster, STREAM, SECOND, FakeOwner())).epoch == 2


async def test_a_claim_taken_over_is_reported_once_and_not_changed() -> None:
    stage = await Stage.start()
    taken = await claim_stream(stage.cluster, STREAM, SECOND, FakeOwner())
    stage.keeper.set_state(ClaimState.WAITING)
    await run_until_idle()
    assert stage.losses == 1
    await stage.keeper.release()
    assert await stage.cluster.owner_of(STREAM) == taken
    assert stage.losses == 1


async def test_a_release_after_a_takeover_keeps_the_new_claim() -> None:
    stage = await Stage.start()
    taken = await claim_stream(stage.cluster, STREAM, SECOND, FakeOwner())
    await stage.keeper.release()
    assert await stage.cluster.owner_of(STREAM) == taken


async def test_another_nodes_claim_is_not_taken_over() -> None:
    state = MemoryState()
    a, b = state.join(node("a")), state.join(node("b"))
    claim = await claim_stream(b, STREAM, FIRST, FakeOwner())
    with pytest.raises(AlreadyClaimed) as refused:
        await claim_stream(a, STREAM, SECOND, FakeOwner())
    assert refused.value.claim == claim
    assert await a.owner_of(STREAM) == claim


class RestlessCluster(MemoryCluster):
    """This node's claim changes ``changes`` times, each time just before it is taken over."""

    def __init__(self, changes: int) -> None:
        super().__init__(MemoryState(), node("a"))
        self.changes = changes

    async def take_over(self, seen: Claim, broadcast: str, owner: StreamOwner) -> Claim:
        if self.changes:
            self.changes -= 1
            await self.update(seen, ClaimState.WAITING)
        return await super().take_over(seen, broadcast, owner)


async def test_replacing_a_claim_is_retried_if_the_claim_changes() -> None:
    cluster = RestlessCluster(ATTEMPTS - 1)
    await claim_stream(cluster, STREAM, FIRST, FakeOwner())
    assert (await claim_stream(cluster, STREAM, SECOND, FakeOwner())).broadcast == SECOND


async def test_replacing_a_claim_that_keeps_changing_fails() -> None:
    cluster = RestlessCluster(ATTEMPTS)
    await claim_stream(cluster, STREAM, FIRST, FakeOwner())
    with pytest.raises(ClaimLost):
        await claim_stream(cluster, STREAM, SECOND, FakeOwner())
