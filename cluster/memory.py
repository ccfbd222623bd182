"""The cluster of one process, whose nodes share one :class:`MemoryState`."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from cluster.claims import ChangeKind, Claim, ClaimChange, ClaimState, Node
from cluster.errors import (
    AlreadyClaimed,
    ClaimLost,
    ClusterUnavailable,
    NoOwner,
    OwnerFailed,
    OwnerTimeout,
)
from cluster.memory_watch import MemoryWatch
from cluster.questions import Answer, Question, StreamOwner
from media.errors import HeadwaterError

log = structlog.get_logger("cluster")


@dataclass(slots=True, eq=False)
class HeldClaim:
    """``owner`` is None once it has stopped answering; ``answering`` are the requests in flight."""

    claim: Claim
    owner: StreamOwner | None
    answering: set[asyncio.Task[Any]] = field(default_factory=set)

    def stop_answering(self) -> None:
        self.owner = None
        for task in self.answering:
            task.cancel()


class MemoryState:
    """The state that the nodes share. It keeps the last epoch of every stream while the process runs."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.held: dict[str, HeldClaim] = {}
        self.watches: set[MemoryWatch] = set()
        self._epochs: dict[str, int] = {}
        self._revision = 0

    def join(self, node: Node) -> "MemoryCluster":
        """Raises ClusterUnavailable if a node of this name is present."""
        if node.name in self.nodes:
            raise ClusterUnavailable(f"a node named {node.name} is already in the cluster")
        self.nodes[node.name] = node
        return MemoryCluster(self, node)

    def current(self, claim: Claim) -> HeldClaim:
        """The claim that ``claim`` names. Raises ClaimLost if the current revision is another."""
        held = self.held.get(claim.stream)
        if held is None or held.claim.revision != claim.revision:
            raise ClaimLost(f"the claim on {claim.stream} has changed since revision {claim.revision}")
        return held

    def hold(self, stream: str, broadcast: str, node: Node, owner: StreamOwner) -> Claim:
        """Claim the stream with a new epoch. A previous claim on it is replaced."""
        before = self.held.get(stream)
        if before is not None:
            before.stop_answering()
        epoch = self._epochs[stream] = self._epochs.get(stream, 0) + 1
        claim = Claim(stream, broadcast, node.name, node.address, epoch, self._next_revision(), ClaimState.LIVE)
        self.held[stream] = HeldClaim(claim, owner)
        self._notify(ChangeKind.CLAIMED if before is None else ChangeKind.MOVED, claim)
        return claim

    def update(self, held: HeldClaim, state: ClaimState) -> Claim:
        held.claim = replace(held.claim, state=state, revision=self._next_revision())
        if state is ClaimState.ENDING:
            held.stop_answering()
        self._notify(ChangeKind.UPDATED, held.claim)
        return held.claim

    def release(self, held: HeldClaim) -> None:
        held.stop_answering()
        del self.held[held.claim.stream]
        self._notify(ChangeKind.RELEASED, held.claim)

    def leave(self, node: Node) -> None:
        self.nodes.pop(node.name, None)
        for held in self.held.values():
            if held.claim.node == node.name:
                held.stop_answering()

    def claims(self) -> tuple[Claim, ...]:
        return tuple(sorted((held.claim for held in self.held.values()), key=lambda claim: claim.stream))

    def _notify(self, kind: ChangeKind, claim: Claim) -> None:
        for watch in self.watches:
            watch.add(ClaimChange(kind, claim))

    def _next_revision(self) -> int:
        self._revision += 1
        return self._revision


class MemoryCluster:
    """A :class:`cluster.interface.Cluster`: one node's view of a :class:`MemoryState`."""

    def __init__(self, state: MemoryState, node: Node) -> None:
        self._state = state
        self._node = node
        self._watches: set[MemoryWatch] = set()
        self._closed = False

    @property
    def node(self) -> Node:
        return self._node

    async def claim(self, stream: str, broadcast: str, owner: StreamOwner) -> Claim:
        held = self._open_state().held.get(stream)
        if held is not None and held.claim.state is not ClaimState.ENDING:
            raise AlreadyClaimed(held.claim)
        return self._state.hold(stream, broadcast, self._node, owner)

    async def take_over(self, seen: Claim, broadcast: str, owner: StreamOwner) -> Claim:
        self._open_state().current(seen)
        return self._state.hold(seen.stream, broadcast, self._node, owner)

    async def update(self, claim: Claim, state: ClaimState) -> Claim:
        return self._state.update(self._open_state().current(claim), state)

    async def release(self, claim: Claim) -> None:
        self._state.release(self._open_state().current(claim))

    async def owner_of(self, stream: str) -> Claim | None:
        held = self._open_state().held.get(stream)
        return None if held is None else held.claim

    async def claims(self) -> tuple[Claim, ...]:
        return self._open_state().claims()

    async def watch(self) -> MemoryWatch:
        watch = MemoryWatch(self._open_state().claims(), on_closed=self._forget)
        self._watches.add(watch)
        self._state.watches.add(watch)
        return watch

    async def nodes(self) -> tuple[Node, ...]:
        return tuple(sorted(self._open_state().nodes.values(), key=lambda node: node.name))

    async def ask_owner(self, stream: str, question: Question[Answer], *, timeout: float) -> Answer:
        held = self._open_state().held.get(stream)
        if held is None or held.owner is None:
            raise NoOwner(f"no owner answers for {stream}")
        task = asyncio.create_task(_answer(held.owner, question))
        held.answering.add(task)
        task.add_done_callback(held.answering.discard)
        try:
            await asyncio.wait((task,), timeout=timeout)
            if not task.done():
                raise OwnerTimeout(f"the owner of {stream} did not answer within {timeout:g} s")
            if task.cancelled():
                raise NoOwner(f"{stream} ended before its owner answered")
            return task.result()
        finally:
            task.cancel()

    async def close(self) -> None:
        self._closed = True
        self._state.leave(self._node)
        for watch in tuple(self._watches):
            await watch.aclose()

    def _open_state(self) -> MemoryState:
        if self._closed:
            raise ClusterUnavailable(f"the node {self._node.name} has left the cluster")
        return self._state

    def _forget(self, watch: MemoryWatch) -> None:
        self._watches.discard(watch)
        self._state.watches.discard(watch)


async def _answer(owner: StreamOwner, question: Question[Answer]) -> Answer:
    """Answer as an owner on another node would: only the code and the text of an error arrive."""
    try:
        return await question.put_to(owner)
    except NoOwner:
        raise
    except HeadwaterError as error:
        raise OwnerFailed(str(error), error.code) from error
    except Exception as error:
        log.exception("an owner failed to answer", question=type(question).__name__)
        raise OwnerFailed("the owner of the stream could not answer; its log has the details") from error
