"""A cluster of one node that a test can make slow or unreachable."""

import asyncio

from cluster.claims import Claim, ClaimState
from cluster.errors import ClusterUnavailable
from cluster.memory import MemoryCluster, MemoryState
from cluster.questions import StreamOwner
from tests.unit.cluster.joining import node


class GatedCluster(MemoryCluster):
    """Changes of claims wait for ``gate``, and fail while ``unreachable``. ``written`` lists the states of all
    updates."""

    def __init__(self) -> None:
        super().__init__(MemoryState(), node("a"))
        self.gate = asyncio.Event()
        self.gate.set()
        self.unreachable = False
        self.written: list[ClaimState] = []

    async def claim(self, stream: str, broadcast: str, owner: StreamOwner) -> Claim:
        await self._turn()
        return await super().claim(stream, broadcast, owner)

    async def update(self, claim: Claim, state: ClaimState) -> Claim:
        await self._turn()
        self.written.append(state)
        return await super().update(claim, state)

    async def release(self, claim: Claim) -> None:
        await self._turn()
        await super().release(claim)

    async def _turn(self) -> None:
        await self.gate.wait()
        if self.unreachable:
            raise ClusterUnavailable("no route to the cluster")
