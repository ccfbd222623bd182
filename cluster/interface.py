"""The cluster as a contract: asynchronous verbs that can fail. tests/unit/cluster/contract.py tests each promise.

A stream has one claim at a time. Every verb that changes a claim names the claim it was given or has read, and
compares revisions: if the claim has changed since, it raises ClaimLost and changes nothing. A claim does not
expire; it ends by release or takeover, even after its node has left.
"""

from typing import Protocol

from cluster.claims import Claim, ClaimChange, ClaimState, Node
from cluster.questions import Answer, Question, StreamOwner


class ClaimWatch(Protocol):
    """Iterates over the changes after ``present``, in order; the changes of one stream miss none.

    Iteration ends when the watch is closed, and raises WatchOverrun if it fell too far behind.
    """

    @property
    def present(self) -> tuple[Claim, ...]:
        """Every claim at the start of the watch, sorted by stream."""
        ...

    def __aiter__(self) -> "ClaimWatch": ...

    async def __anext__(self) -> ClaimChange: ...

    async def aclose(self) -> None: ...


class Cluster(Protocol):
    """This node's view of the cluster. Every verb raises ClusterUnavailable if the cluster cannot be reached."""

    @property
    def node(self) -> Node:
        """This node."""
        ...

    async def claim(self, stream: str, broadcast: str, owner: StreamOwner) -> Claim:
        """Own a stream that nobody owns, or whose broadcast is ending; ``owner`` answers for it from now on.

        Raises AlreadyClaimed, which carries the present claim.
        """
        ...

    async def take_over(self, seen: Claim, broadcast: str, owner: StreamOwner) -> Claim:
        """Own a stream instead of the holder of ``seen``, whether that one still runs or not. Raises ClaimLost."""
        ...

    async def update(self, claim: Claim, state: ClaimState) -> Claim:
        """Change the state of a claim that this node holds. From ENDING on, its owner is no longer asked.

        Raises ClaimLost.
        """
        ...

    async def release(self, claim: Claim) -> None:
        """Give up a claim that this node holds; its owner is no longer asked. Raises ClaimLost."""
        ...

    async def owner_of(self, stream: str) -> Claim | None:
        """The stream's claim, None if absent."""
        ...

    async def claims(self) -> tuple[Claim, ...]:
        """Every claim, sorted by stream."""
        ...

    async def watch(self) -> ClaimWatch: ...

    async def nodes(self) -> tuple[Node, ...]:
        """Every node that is reachable, this one included, sorted by name."""
        ...

    async def ask_owner(self, stream: str, question: Question[Answer], *, timeout: float) -> Answer:
        """Put a question to the stream's owner, on whichever node it runs; ``timeout`` is in seconds.

        If the owner stops answering while it is asked, this raises NoOwner. If the caller is cancelled or the
        time is over, the owner's work on the answer is cancelled too.

        Raises NoOwner, OwnerTimeout, or OwnerFailed with the code of the owner's own error.
        """
        ...

    async def close(self) -> None:
        """Leave the cluster: watches end, owners are no longer asked, and claims stay for others to take over."""
        ...
