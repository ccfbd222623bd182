"""Nodes and claims, as every implementation of the cluster stores them."""

from dataclasses import dataclass
from enum import StrEnum


class NodeState(StrEnum):
    UP = "up"
    DRAINING = "draining"
    """It keeps the streams it owns until it has handed them over, and takes no new ones."""


@dataclass(frozen=True, slots=True)
class Node:
    """One Headwater process. ``address`` is where other nodes reach it, ``zone`` where it is."""

    name: str
    address: str
    roles: tuple[str, ...]
    zone: str
    version: str
    state: NodeState = NodeState.UP


class ClaimState(StrEnum):
    LIVE = "live"
    WAITING = "waiting"
    """The publisher is gone and may still return."""
    ENDING = "ending"
    """The broadcast has ended and the store has not yet all of it: the stream is free to be claimed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A node owns a stream and makes its segments.

    ``revision`` grows with every change of the stream's claim, and a claim with an older one is lost. ``epoch``
    grows with every claim and takeover, also after a release, so that the names and writes of a former owner can be
    recognized.
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
    """The claim replaces another: the epoch is a new one."""
    UPDATED = "updated"
    """The owner has changed the state."""
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class ClaimChange:
    """``claim`` is the claim after the change; the last one before it if it was released."""

    kind: ChangeKind
    claim: Claim
