"""Claims a stream for a broadcast, and keeps the state of the claim up to date."""

import asyncio
from collections.abc import Callable

import structlog

from cluster.claims import Claim, ClaimState
from cluster.errors import AlreadyClaimed, ClaimLost, ClusterError
from cluster.interface import Cluster
from cluster.questions import StreamOwner
from media.log_context import broadcast_context

log = structlog.get_logger("live")

# Attempts to replace an older claim of this node. The claim changes meanwhile if its broadcast is just ending.
ATTEMPTS = 3


async def claim_stream(cluster: Cluster, stream: str, broadcast: str, owner: StreamOwner) -> Claim:
    """Claim a stream for a new broadcast, and replace an older claim of this node on it.

    Raises AlreadyClaimed if another node owns the stream, and any other ClusterError.
    """
    attempts = ATTEMPTS
    while True:
        attempts -= 1
        try:
            return await cluster.claim(stream, broadcast, owner)
        except AlreadyClaimed as taken:
            if taken.claim.node != cluster.node.name:
                raise
            older = taken.claim
        try:
            return await cluster.take_over(older, broadcast, owner)
        except ClaimLost:
            if attempts == 0:
                raise


class ClaimKeeper:
    """Writes the state of one claim. Writes do not overlap, and if several changes wait, only the newest is
    written.

    ``on_lost`` is called if another node has taken the stream over.
    """

    def __init__(self, cluster: Cluster, claim: Claim, *, on_lost: Callable[[], None]) -> None:
        self._cluster = cluster
        self._claim = claim
        self._log = log.bind(**broadcast_context(claim.stream, claim.broadcast))
        self._on_lost = on_lost
        self._wanted = claim.state
        self._lost = False
        self._writing: asyncio.Task[None] | None = None

    def set_state(self, state: ClaimState) -> None:
        """Write ``state`` in the background. If the cluster cannot be reached, the broadcast continues and the next
        change of state writes again."""
        if state is self._wanted:
            return
        self._wanted = state
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def release(self) -> None:
        """Release the claim, unless the stream's next broadcast has already replaced it."""
        if self._writing is not None:
            await self._writing
        if self._lost:
            return
        try:
            await self._cluster.release(self._claim)
        except ClaimLost:
            pass
        except ClusterError as error:
            self._log.warning("a claim could not be released", error=str(error))

    async def _write(self) -> None:
        while self._claim.state is not self._wanted:
            try:
                self._claim = await self._cluster.update(self._claim, self._wanted)
            except ClaimLost:
                self._lost = True
                self._on_lost()
                return
            except ClusterError as error:
                self._log.warning("the state of a claim was not written", error=str(error))
                return
