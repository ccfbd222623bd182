"""All checks, in the order in which a fault of one explains those of the next."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from control.config import Config
from control.doctor.cache import examine_cache
from control.doctor.certificate import certificate
from control.doctor.encoding import encoding
from control.doctor.finding import Finding
from control.doctor.machine import clock, descriptors, disks, ports, versions
from control.doctor.store import examine_store


def examine(config: Config, cache: str | None = None) -> Iterator[Finding]:
    """``cache`` is the URL of a cache or proxy in front. Blocks; each finding comes as soon as it is known."""
    yield from versions(config)
    yield from ports(config)
    yield from certificate(config)
    yield from descriptors(config)
    yield from disks(config.directories)
    yield from clock()
    yield from asyncio.run(_all(examine_store(config)))
    yield from encoding(config)
    if cache is not None:
        yield from examine_cache(cache)


async def _all(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]
