"""All attacks by name."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType

from tests.attack.attacks import broadcaster, cache, http, rtmp
from tests.attack.target import Target

Attack = Callable[[Target, float], Coroutine[None, None, None]]


async def no_attack(target: Target, seconds: float) -> None:
    """For comparison."""
    await asyncio.sleep(seconds)


STRANGER: tuple[Attack, ...] = (
    http.endless_head,
    http.endless_value,
    http.half_requests,
    http.half_requests_of_one,
    http.slow_range_readers,
    http.pipelined,
    http.readiness,
    http.unknown_streams,
    http.blocking_reloads,
    http.playback_reports,
    rtmp.tiny_messages,
    rtmp.pings,
    rtmp.unknown_calls,
    rtmp.amf_nulls,
    rtmp.partial_messages,
    rtmp.held_sockets,
    rtmp.held_sockets_of_many,
)
BROADCASTER: tuple[Attack, ...] = (
    broadcaster.one_byte_nal_units,
    broadcaster.large_aggregates,
    broadcaster.standing_timestamps,
    broadcaster.endless_picture,
    broadcaster.changing_configurations,
    broadcaster.hostile_picture,
)
# Viewers and attacker are in front of the caches of docker/.
CACHED: tuple[Attack, ...] = (cache.poisoned_cache,)


def name_of(attack: Attack) -> str:
    return attack.__name__.replace("_", "-")


ATTACKS: Mapping[str, Attack] = MappingProxyType(
    {name_of(attack): attack for attack in (no_attack, *STRANGER, *BROADCASTER, *CACHED)}
)
NEED_CACHE = frozenset(map(name_of, CACHED))
