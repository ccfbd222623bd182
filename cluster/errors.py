"""The errors of a cluster.

ClusterError
├── AlreadyClaimed      another node holds the claim
├── ClaimLost           the claim has changed since it was read
├── NoOwner             no owner answers for the stream
├── NoStandby           the owner has no publisher on standby to switch to
├── OwnerFailed         the owner answered with an error
├── OwnerTimeout        the owner did not answer in time
├── ClusterUnavailable  this node cannot reach the cluster
└── WatchOverrun        a limit: changes arrived faster than the watcher read them
"""

from typing import ClassVar

from cluster.claims import Claim
from media.errors import HeadwaterError


class ClusterError(HeadwaterError):
    """Base of the errors of a cluster."""

    code: ClassVar[str] = "cluster"


class AlreadyClaimed(ClusterError):
    """Another claim on the stream exists: ``claim``, as it was when the caller's claim failed."""

    code: ClassVar[str] = "already-claimed"

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"the node {claim.node} owns {claim.stream}")
        self.claim = claim


class ClaimLost(ClusterError):
    """The claim's revision is not the current one: it was updated, released or taken over. Nothing has changed."""

    code: ClassVar[str] = "claim-lost"


class NoOwner(ClusterError):
    """No owner answers for the stream: it is not claimed, its broadcast is ending, or its node has left."""

    code: ClassVar[str] = "no-owner"


class NoStandby(ClusterError):
    """The stream has no publisher on standby that could go on air. On another node it is an OwnerFailed with this
    code."""

    code: ClassVar[str] = "no-standby"


class OwnerFailed(ClusterError):
    """The owner could not answer. ``code`` and text are those of the owner's error, if it was a declared one."""

    code: ClassVar[str] = "owner-failed"

    def __init__(self, text: str, code: str = "owner-failed") -> None:
        super().__init__(text)
        # Each error has the code of the owner's error instead of the class's.
        self.code = code  # type: ignore[misc]


class OwnerTimeout(ClusterError):
    """The owner did not answer in time. It may still carry out the command."""

    code: ClassVar[str] = "request-timeout"


class ClusterUnavailable(ClusterError):
    """The cluster cannot be reached, so the outcome is unknown. Try again."""

    code: ClassVar[str] = "cluster-unavailable"


class WatchOverrun(ClusterError):
    """The watcher fell too far behind and missed changes. A new watch starts with the current claims."""

    code: ClassVar[str] = "watch-overrun"
