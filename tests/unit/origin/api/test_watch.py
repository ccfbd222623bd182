"""The viewers' route."""

from live.status import StreamState
from storage.catalogue.records import BroadcastRecord, StreamSettings
from tests.unit.origin.api.conftest import NOW, Api
from tests.unit.origin.api.live import BROADCAST, status

OLDER = "20261120t090000z-000001"


async def test_a_stream_that_was_never_live_has_no_broadcast(api: Api) -> None:
    await api.catalogue.create_stream("a", StreamSettings(title="Studio A"), now=NOW)
    answer = await api.public.get("/watch/a")
    assert answer.json() == {
        "stream": "a",
        "title": "Studio A",
        "private": False,
        "state": "idle",
        "broadcast": None,
        "hls": None,
        "dash": None,
        "reports": "/api/v1/cmcd",
    }
    assert answer.headers["cache-control"] == "public, max-age=1"


async def test_the_current_broadcast_is_returned_else_the_last(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.catalogue.put_broadcast(BroadcastRecord(stream="a", broadcast=OLDER, started_at=1.0, ended_at=2.0))
    last = (await api.public.get("/watch/a")).json()
    assert (last["state"], last["hls"]) == ("idle", f"/live/a/{OLDER}/master.m3u8")
    await api.on_air(status("a", StreamState.WAITING))
    current = (await api.public.get("/watch/a")).json()
    assert (current["state"], current["broadcast"]) == ("waiting", BROADCAST)
    assert current["dash"] == f"/live/a/{BROADCAST}/manifest.mpd"


async def test_a_broadcast_is_the_last_right_after_its_end(api: Api) -> None:
    """The store's answer from before the broadcast is still cached at that time."""
    await api.catalogue.create_stream("a", now=NOW)
    await api.catalogue.put_broadcast(BroadcastRecord(stream="a", broadcast=OLDER, started_at=1.0, ended_at=2.0))
    await api.public.get("/watch/a")
    await api.on_air(status("a"))
    await api.public.get("/watch/a")
    await api.off_air("a")
    assert (await api.public.get("/watch/a")).json()["broadcast"] == BROADCAST


async def test_a_broadcast_without_media_has_no_playlists_yet(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.on_air(status("a").model_copy(update={"renditions": ()}))
    body = (await api.public.get("/watch/a")).json()
    assert (body["state"], body["broadcast"], body["hls"], body["dash"]) == ("live", BROADCAST, None, None)


async def test_many_viewers_share_one_store_read(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    before = len(api.store.keys_of("get"))
    for _ in range(50):
        assert (await api.public.get("/watch/a")).status_code == 200
        assert (await api.public.get("/watch/unknown")).status_code == 404
    assert len(api.store.keys_of("get")) - before == 2
    api.now += 3
    await api.public.get("/watch/a")
    assert len(api.store.keys_of("get")) - before == 3


async def test_unknown_streams_are_404(api: Api) -> None:
    for name in ("b", "A", "x" * 1000):
        answer = await api.public.get(f"/watch/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "stream-not-found")
        assert len(answer.json()["detail"]) < 120
