"""Keeping and deleting recordings through the API."""

from storage.catalogue.records import BroadcastRecord, Retention
from storage.keeping.keeper import QUIET_S
from tests.lab.keepers import SPACE
from tests.unit.origin.api.conftest import NOW, Api
from tests.unit.origin.api.live import BROADCAST, status

OLD = "20261101t000000z-aaaaaa"
MINUTE = 60.0


async def record(api: Api, broadcast: str = OLD, *, stream: str = "a") -> None:
    await api.store.put(f"live/{stream}/{broadcast}/vsource/1.m4s", b"12345")
    await api.catalogue.put_broadcast(
        BroadcastRecord(
            stream=stream,
            broadcast=broadcast,
            started_at=NOW - 86_400,
            ended_at=NOW - 86_400 + MINUTE,
            duration_s=MINUTE,
            bytes=1000,
        )
    )


async def test_a_deleted_recording_is_gone_at_once_and_its_media_later(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await record(api)
    path = f"/streams/a/broadcasts/{OLD}"
    assert (await api.http.delete(path)).status_code == 204
    assert (await api.http.get("/streams/a/broadcasts")).json() == []
    again = await api.http.delete(path)
    assert (again.status_code, again.json()["code"]) == (404, "broadcast-not-found")
    audit = (await api.http.get("/audit")).json()["entries"]
    assert {(entry["action"], entry["result"]): entry["details"] for entry in audit} == {
        ("broadcast-delete", "broadcast-not-found"): {"broadcast": OLD},
        ("broadcast-delete", "done"): {"broadcast": OLD, "bytes": 1000},
    }
    watch = (await api.public.get("/watch/a")).json()
    assert (watch["broadcast"], watch["hls"]) == (None, None)


async def test_what_is_on_air_or_kept_is_not_deleted(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await record(api, BROADCAST)
    await api.on_air(status("a"))
    refused = await api.http.delete(f"/streams/a/broadcasts/{BROADCAST}")
    assert (refused.status_code, refused.json()["code"]) == (409, "broadcast-in-use")
    await record(api)
    keep = f"/streams/a/broadcasts/{OLD}/keep"
    assert (await api.http.put(keep)).status_code == 204
    assert [one["kept"] for one in (await api.http.get("/streams/a/broadcasts")).json()] == [False, True]
    refused = await api.http.delete(f"/streams/a/broadcasts/{OLD}")
    assert (refused.status_code, refused.json()["code"]) == (409, "broadcast-kept")
    assert (await api.http.delete(keep)).status_code == 204
    assert (await api.http.delete(f"/streams/a/broadcasts/{OLD}")).status_code == 204
    assert (await api.http.put(keep)).json()["code"] == "broadcast-not-found"


async def test_a_stream_has_a_retention_of_its_own(api: Api) -> None:
    retention = {"max_age_s": 86400, "max_count": 3}
    made = await api.http.post("/streams", json={"stream": "a", "retention": retention})
    assert made.status_code == 201
    whole = {"max_age_s": 86400.0, "max_size": None, "max_count": 3}
    assert (await api.http.get("/streams/a")).json()["retention"] == whole
    changed = await api.http.patch("/streams/a", json={"retention": {"max_size": 1_000_000}})
    assert changed.json()["retention"] == {"max_age_s": None, "max_size": 1_000_000, "max_count": None}
    assert (await api.catalogue.get_stream("a")).settings.retention == Retention(max_size=1_000_000)
    assert (await api.http.patch("/streams/a", json={"title": "A"})).json()["retention"]["max_size"] == 1_000_000
    assert (await api.http.patch("/streams/a", json={"retention": None})).json()["retention"] is None
    for bad in ({"max_age_s": 1}, {"max_count": -1}, {"max_days": 3}, 30):
        assert (await api.http.patch("/streams/a", json={"retention": bad})).status_code == 422


async def test_a_sweep_lists_what_it_deletes(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a", "retention": {"max_count": 0}})
    await record(api)
    gone = {
        "stream": "a",
        "broadcast": OLD,
        "cause": "max-count",
        "ended_at": NOW - 86_400 + MINUTE,
        "bytes": 1000,
    }
    dry = await api.http.post("/sweep", json={"dry_run": True})
    assert dry.json() == {"dry_run": True, "recordings": [gone]}
    assert len((await api.http.get("/streams/a/broadcasts")).json()) == 1
    assert (await api.http.post("/sweep")).json() == {"dry_run": False, "recordings": [gone]}
    assert (await api.http.get("/streams/a/broadcasts")).json() == []
    assert (await api.http.post("/sweep")).json()["recordings"] == []


async def test_the_use_has_all_streams_also_deleted_ones(api: Api) -> None:
    await record(api)
    await record(api, stream="b")
    assert (await api.http.get("/usage")).json() == {
        "bytes": 2000,
        "recordings": 2,
        "free_bytes": SPACE.free,
        "capacity_bytes": SPACE.capacity,
        "streams": [
            {"stream": "a", "bytes": 1000, "recordings": 1, "kept": 0},
            {"stream": "b", "bytes": 1000, "recordings": 1, "kept": 0},
        ],
    }


async def test_a_purged_stream_is_gone_and_its_name_is_free_later(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await record(api)
    owner = await api.on_air(status("a"))
    assert (await api.http.delete("/streams/a?purge=true")).status_code == 204
    assert owner.kills == ["the stream was deleted"]
    assert api.keys == [("a", None)]
    refused = await api.http.post("/streams", json={"stream": "a"})
    assert (refused.status_code, refused.json()["code"]) == (409, "stream-purging")
    audit = (await api.http.get("/audit")).json()["entries"]
    assert [entry["details"] for entry in audit if entry["action"] == "stream-delete"] == [{"purge": True}]


async def test_the_recordings_of_a_deleted_stream_are_purged_too(api: Api) -> None:
    await record(api)
    assert (await api.http.delete("/streams/a")).status_code == 404
    assert (await api.http.delete("/streams/a?purge=true")).status_code == 204
    unknown = await api.http.delete("/streams/b?purge=true")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "stream-not-found")


async def test_an_interrupted_broadcast_is_deleted_on_request(api: Api) -> None:
    await api.catalogue.put_broadcast(BroadcastRecord(stream="a", broadcast=OLD, started_at=NOW))
    assert (await api.http.delete(f"/streams/a/broadcasts/{OLD}")).json()["code"] == "broadcast-in-use"
    api.now += QUIET_S + 1
    assert (await api.http.delete(f"/streams/a/broadcasts/{OLD}")).status_code == 204
