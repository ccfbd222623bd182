"""The contract of a cluster, which tests/unit/cluster/contract.py tests.

A stream has one claim at a time. Every method that changes a claim takes the claim as the caller last read it, and
compares revisions: if the claim has changed since, it raises ClaimLost and changes nothing. A claim does not
expire; it ends by release or takeover, even after its node has left.
"""

from typing import Protocol

from cluster.claims import Claim, ClaimChange, ClaimState, Node
from cluster.questions import Answer, Question, StreamOwner


class ClaimWatch(Protocol):
    """Iterates over the changes after ``present``, in order and without omissions.

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
    """This node's view of the cluster. Every method raises ClusterUnavailable if the cluster cannot be reached."""

    @property
    def node(self) -> Node:
        """This node."""
        ...

    async def claim(self, stream: str, broadcast: str, owner: StreamOwner) -> Claim:
        """Claim a stream that has no owner or whose broadcast is ending; ``owner`` then answers for it.

        Raises AlreadyClaimed, which carries the current claim.
        """
        ...

    async def take_over(self, seen: Claim, broadcast: str, owner: StreamOwner) -> Claim:
        """Replace the claim ``seen`` by one of this node, whether its node still runs or not. Raises ClaimLost."""
        ...

    async def update(self, claim: Claim, state: ClaimState) -> Claim:
        """Change the state of a claim that this node holds. From ENDING on, its owner gets no more requests.

        Raises ClaimLost.
        """
        ...

    async def release(self, claim: Claim) -> None:
        """Release a claim that this node holds; its owner gets no more requests. Raises ClaimLost."""
        ...

    async def owner_of(self, stream: str) -> Claim | None:
        """The stream's claim, or None if it has none."""
        ...

    async def claims(self) -> tuple[Claim, ...]:
        """Every claim, sorted by stream."""
        ...

    async def watch(self) -> ClaimWatch: ...

    async def nodes(self) -> tuple[Node, ...]:
        """Every node that is reachable, this one included, sorted by name."""
        ...

    async def ask_owner(self, stream: str, question: Question[Answer], *, timeout: float) -> Answer:
        """Send a request to the stream's owner, on any node; ``timeout`` is in seconds.

        If the owner stops answering before it has answered, this raises NoOwner. If the caller is cancelled or the
        timeout ends, the owner's work on the answer is cancelled too.

        Raises NoOwner, OwnerTimeout, or OwnerFailed with the code of the owner's own error.
        """
        ...

    async def close(self) -> None:
        """Leave the cluster: watches end, owners get no more requests, and claims stay for others to take over."""
        ...
