"""Deleted objects leave Varnish when the server asks for it; nobody else may."""

from collections import Counter
from pathlib import Path

from control.cache_purge import CachePurge, PurgeMethod
from tests.e2e.caches.counting_origin import PLAYLIST, TRACK, Origin
from tests.e2e.caches.running import running_cache, stranger, viewers_of, with_nginx, with_varnish

MEDIA = f"{TRACK}/1.m4s"


@with_varnish
async def test_a_purged_object_is_fetched_again(origin: Origin, tmp_path: Path) -> None:
    counts: Counter[str] = Counter()

    def count(result: str, number: int) -> None:
        counts[result] += number

    with running_cache("varnish", origin.server_port, tmp_path) as front, viewers_of(front) as viewer:
        assert [viewer.get(MEDIA).headers["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
        with stranger(front) as client:
            assert client.request("PURGE", MEDIA).status_code == 403
        assert viewer.get(MEDIA).headers["X-Cache"] == "HIT"
        purge = CachePurge(f"http://127.0.0.1:{front.port}", PurgeMethod.PURGE, public_url="", on_done=count)
        purge.forget([MEDIA.removeprefix("/"), "live/a/never-there.m4s"])
        await purge.drained()
        await purge.close()
        assert counts == {"done": 2}
        assert viewer.get(MEDIA).headers["X-Cache"] == "MISS"


@with_nginx
def test_viewers_cannot_purge_through_nginx(origin: Origin, tmp_path: Path) -> None:
    with running_cache("nginx", origin.server_port, tmp_path) as front, viewers_of(front) as viewer:
        for path in (MEDIA, PLAYLIST):
            viewer.get(path)
            assert viewer.request("PURGE", path).status_code == 405
            assert viewer.get(path).headers["X-Cache"] == "HIT"


@with_varnish
def test_other_methods_are_refused(origin: Origin, tmp_path: Path) -> None:
    with running_cache("varnish", origin.server_port, tmp_path) as front, viewers_of(front) as viewer:
        assert viewer.request("BAN", PLAYLIST).status_code == 405
