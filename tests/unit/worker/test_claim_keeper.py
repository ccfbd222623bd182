"""The claim on a stream: getting it, and writing its state in order."""

import pytest

from cluster.claims import Claim, ClaimState
from cluster.errors import AlreadyClaimed, ClaimLost
from cluster.memory import MemoryCluster, MemoryState
from cluster.questions import StreamOwner
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node
from tests.unit.worker.fakes import settle
from tests.unit.worker.gated_cluster import GatedCluster
from worker.claim_keeper import ATTEMPTS, ClaimKeeper, claim_stream

STREAM, FIRST, SECOND = "studio", "20261121t104105z-ab12cd", "20261121t114105z-ef34ab"


class Stage:
    """A claim that is kept."""

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


async def test_states_are_written_and_repetitions_are_not() -> None:
    stage = await Stage.start()
    for state in (ClaimState.LIVE, ClaimState.WAITING, ClaimState.WAITING, ClaimState.LIVE):
        stage.keeper.set_state(state)
        await settle()
        assert await stage.state() is state
    assert stage.cluster.written == [ClaimState.WAITING, ClaimState.LIVE]


async def test_while_a_write_waits_only_the_newest_state_is_kept() -> None:
    stage = await Stage.start()
    stage.cluster.gate.clear()
    stage.keeper.set_state(ClaimState.WAITING)
    await settle()
    for state in (ClaimState.LIVE, ClaimState.WAITING, ClaimState.ENDING):
        stage.keeper.set_state(state)
    stage.cluster.gate.set()
    await settle()
    assert stage.cluster.written == [ClaimState.WAITING, ClaimState.ENDING]
    assert await stage.state() is ClaimState.ENDING


async def test_the_release_follows_the_last_write() -> None:
    stage = await Stage.start()
    stage.keeper.set_state(ClaimState.ENDING)
    await stage.keeper.release()
    assert stage.cluster.written == [ClaimState.ENDING]
    assert await stage.state() is None
    assert stage.losses == 0


async def test_a_state_that_could_not_be_written_is_replaced_by_the_next() -> None:
    stage = await Stage.start()
    stage.cluster.gone = True
    stage.keeper.set_state(ClaimState.WAITING)
    await settle()
    assert await stage.state() is ClaimState.LIVE
    stage.cluster.gone = False
    stage.keeper.set_state(ClaimState.ENDING)
    await settle()
    assert await stage.state() is ClaimState.ENDING


async def test_a_release_that_fails_is_no_error_and_the_next_broadcast_replaces_the_claim() -> None:
    stage = await Stage.start()
    stage.cluster.gone = True
    await stage.keeper.release()
    stage.cluster.gone = False
    assert await stage.state() is ClaimState.LIVE
    assert (await claim_stream(stage.cluster, STREAM, SECOND, FakeOwner())).epoch == 2


async def test_a_claim_that_was_taken_over_is_reported_once_and_left_alone() -> None:
    stage = await Stage.start()
    taken = await claim_stream(stage.cluster, STREAM, SECOND, FakeOwner())
    stage.keeper.set_state(ClaimState.WAITING)
    await settle()
    assert stage.losses == 1
    await stage.keeper.release()
    assert await stage.cluster.owner_of(STREAM) == taken
    assert stage.losses == 1


async def test_a_release_after_a_takeover_leaves_the_new_claim() -> None:
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


async def test_a_claim_that_changes_while_it_is_replaced() -> None:
    cluster = RestlessCluster(ATTEMPTS - 1)
    await claim_stream(cluster, STREAM, FIRST, FakeOwner())
    assert (await claim_stream(cluster, STREAM, SECOND, FakeOwner())).broadcast == SECOND


async def test_a_claim_that_never_stops_changing() -> None:
    cluster = RestlessCluster(ATTEMPTS)
    await claim_stream(cluster, STREAM, FIRST, FakeOwner())
    with pytest.raises(ClaimLost):
        await claim_stream(cluster, STREAM, SECOND, FakeOwner())
