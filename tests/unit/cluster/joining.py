"""Shared by the parts of the contract: nodes that join, and waiting for another node's changes."""

import asyncio
from collections.abc import Awaitable, Callable

from cluster.claims import ChangeKind, Node
from cluster.interface import ClaimWatch, Cluster

Connect = Callable[[Node], Awaitable[Cluster]]

STREAM, FIRST, SECOND = "studio-a", "20261121t104105z-ab12cd", "20261121t114105z-ef34ab"
TIMEOUT = 5.0


def node(name: str) -> Node:
    return Node(name, f"10.0.0.1:{7000 + ord(name[0])}", ("worker", "origin"), "north", "1.2.3")


async def changes(watch: ClaimWatch, count: int) -> list[tuple[ChangeKind, str, int]]:
    """The next changes: kind, node and epoch."""
    seen = []
    for _ in range(count):
        change = await asyncio.wait_for(anext(watch), TIMEOUT)
        seen.append((change.kind, change.claim.node, change.claim.epoch))
    return seen


async def read_all(watch: ClaimWatch) -> int:
    """The number of changes until the watch ends."""
    count = 0
    async for _ in watch:
        count += 1
    return count


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not happened():
            await asyncio.sleep(0)
