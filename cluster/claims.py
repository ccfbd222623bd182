"""Nodes and claims, as every implementation of the cluster stores them."""

from dataclasses import dataclass
from enum import StrEnum


class NodeState(StrEnum):
    UP = "up"
    DRAINING = "draining"
    """The node takes no new streams, and keeps those it owns until it has handed them over."""


@dataclass(frozen=True, slots=True)
class Node:
    """One Headwater process. ``address`` is the URL by which others reach it, and ``zone`` its location."""

    name: str
    address: str
    roles: tuple[str, ...]
    zone: str
    version: str
    state: NodeState = NodeState.UP


class ClaimState(StrEnum):
    LIVE = "live"
    WAITING = "waiting"
    """The publisher has disconnected and may return."""
    ENDING = "ending"
    """The broadcast has ended but is not completely stored. The stream may already be claimed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The ownership of a stream: ``node`` makes its segments.

    ``revision`` grows with every change of the stream's claim, and a claim with an older revision is lost.
    ``epoch`` grows with every claim and takeover, even after a release, so that the names and writes of a former
    owner can be recognized.
    """

    stream: str
    broadcast: str
    node: str
    address: str
    epoch: int
    revision: int
    state: ClaimState


class ChangeKind(StrEnum):
    CLAIMED = "claimed"
    """The stream had no claim."""
    MOVED = "moved"
    """The claim replaces another, with a new epoch."""
    UPDATED = "updated"
    """The owner changed the state."""
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class ClaimChange:
    """``claim`` is the claim after the change; for a release, the last claim before it."""

    kind: ChangeKind
    claim: Claim
