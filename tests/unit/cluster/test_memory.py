"""The contract of the cluster, applied to the in-memory implementation, and that implementation's limits."""

from collections.abc import AsyncIterator

import pytest

from cluster.claims import ChangeKind, ClaimState, Node
from cluster.errors import ClusterUnavailable, WatchOverrun
from cluster.interface import Cluster
from cluster.memory import MemoryState
from cluster.memory_watch import MAX_PENDING
from tests.unit.cluster.contract import ClusterContract
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import FIRST, STREAM, Connect, node


class TestMemoryCluster(ClusterContract):
    @pytest.fixture
    async def connect(self) -> AsyncIterator[Connect]:
        state = MemoryState()
        joined: list[Cluster] = []

        async def connect(node: Node) -> Cluster:
            joined.append(state.join(node))
            return joined[-1]

        yield connect
        for cluster in joined:
            await cluster.close()


def test_two_nodes_cannot_share_a_name() -> None:
    state = MemoryState()
    state.join(node("a"))
    with pytest.raises(ClusterUnavailable):
        state.join(node("a"))


async def test_a_watch_that_is_not_read_is_ended() -> None:
    cluster = MemoryState().join(node("a"))
    watch = await cluster.watch()
    claim = await cluster.claim(STREAM, FIRST, FakeOwner())
    for _ in range(MAX_PENDING - 1):
        claim = await cluster.update(claim, ClaimState.WAITING)
    assert (await anext(watch)).kind is ChangeKind.CLAIMED
    for _ in range(2):
        claim = await cluster.update(claim, ClaimState.LIVE)
    for _ in range(2):
        with pytest.raises(WatchOverrun):
            await anext(watch)
    assert (await cluster.watch()).present == (claim,)
