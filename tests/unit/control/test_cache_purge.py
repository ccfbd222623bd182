"""Caches are asked to forget what is deleted: which requests they get, and what happens if they refuse."""

import json
from collections import Counter

import httpx
import pytest

from control import cache_purge
from control.cache_purge import TRIES, CachePurge, PurgeMethod

KEYS = ["live/a/master.m3u8", "live/a/1.m4s"]


class Cache:
    """Answers with ``statuses`` in turn, then always with the last; None breaks the connection."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses or (200,))
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[object] = []
        self.counts: Counter[str] = Counter()
        self.pauses: list[float] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, str(request.url)))
        body = request.read()
        self.bodies.append(json.loads(body) if body else None)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(status)

    def purge(self, method: PurgeMethod = PurgeMethod.PURGE) -> CachePurge:
        async def pause(seconds: float) -> None:
            self.pauses.append(seconds)

        def count(result: str, number: int) -> None:
            self.counts[result] += number

        return CachePurge(
            "http://cache:8081/tv",
            method,
            public_url="https://video.example.org",
            on_done=count,
            transport=httpx.MockTransport(self.answer),
            pause=pause,
        )


async def send(cache: Cache, method: PurgeMethod = PurgeMethod.PURGE) -> None:
    purge = cache.purge(method)
    purge.forget(KEYS)
    await purge.drained()
    await purge.close()


async def test_each_object_is_purged_below_the_caches_url() -> None:
    cache = Cache()
    await send(cache)
    assert sorted(cache.requests) == [("PURGE", f"http://cache:8081/tv/{key}") for key in sorted(KEYS)]
    assert cache.counts == {"done": 2}


async def test_a_cdn_gets_a_list_of_public_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache()
    await send(cache, PurgeMethod.POST)
    assert cache.requests == [("POST", "http://cache:8081/tv")]
    assert cache.bodies == [{"urls": [f"https://video.example.org/{key}" for key in KEYS]}]
    assert cache.counts == {"done": 2}
    monkeypatch.setattr(cache_purge, "BATCH", 1)
    await send(cache, PurgeMethod.POST)
    assert len(cache.requests) == 3


@pytest.mark.parametrize(
    ("statuses", "counts", "pauses"),
    [
        ((500, 200), {"done": 2}, 1),
        ((None, 200), {"done": 2}, 1),
        ((404,), {"done": 2}, 0),
        ((403,), {"failed": 2}, 0),
        ((503,), {"failed": 2}, 2 * (TRIES - 1)),
        ((None,), {"failed": 2}, 2 * (TRIES - 1)),
    ],
)
async def test_a_failing_cache_is_asked_again_a_few_times(
    statuses: tuple[int | None, ...], counts: dict[str, int], pauses: int
) -> None:
    cache = Cache(*statuses)
    await send(cache)
    assert (dict(cache.counts), len(cache.pauses)) == (counts, pauses)


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_purge, "MAX_WAITING", 1)
    cache = Cache()
    await send(cache)
    assert cache.counts == {"lost": 1, "done": 1}


async def test_the_end_of_the_server_loses_what_waits() -> None:
    cache = Cache()
    purge = cache.purge()
    purge.forget(KEYS)
    await purge.close()
    assert cache.counts == {"lost": 2}
