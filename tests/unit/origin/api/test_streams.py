"""Streams and their keys."""

import pytest

from cluster.claims import ClaimState
from live.status import StreamState
from media.roles import Role
from origin.api import live as live_routes
from storage.catalogue.records import BroadcastRecord, StreamSettings
from tests.unit.origin.api.conftest import NOW, Api
from tests.unit.origin.api.live import BROADCAST, status


async def test_only_the_answer_to_create_contains_the_key(api: Api) -> None:
    answer = await api.http.post("/streams", json={"stream": "studio-a", "title": "Studio A", "ladder": "source"})
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/streams/studio-a"
    body = answer.json()
    assert set(body) == {"stream", "server", "key", "watch"}
    assert body["server"] == "rtmp://media.example.org:1935/live"
    assert body["watch"] == "https://media.example.org/watch/studio-a"
    record = await api.catalogue.find_by_key(body["key"])
    assert record is not None
    assert (record.stream, record.settings.title, record.settings.ladder) == ("studio-a", "Studio A", "source")
    assert record.created_at == NOW
    assert api.keys == [("studio-a", body["key"])]
    assert body["key"] not in (await api.http.get("/streams/studio-a")).text


async def test_a_duplicate_or_invalid_name_is_refused(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a"})
    again = await api.http.post("/streams", json={"stream": "a"})
    assert (again.status_code, again.json()["code"]) == (409, "stream-exists")
    bad = await api.http.post("/streams", json={"stream": "../etc"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad-stream-name")


async def test_the_list_has_live_then_waiting_then_idle_streams_by_name(api: Api) -> None:
    for name in ("d-idle", "a-idle", "c-live", "b-waiting", "b-live"):
        await api.catalogue.create_stream(name, now=NOW)
    for name, state in (("c-live", "live"), ("b-waiting", "waiting"), ("b-live", "live")):
        await api.on_air(status(name, StreamState(state)))
    listed = (await api.http.get("/streams")).json()
    assert [stream["stream"] for stream in listed] == ["b-live", "c-live", "b-waiting", "a-idle", "d-idle"]
    assert [stream["state"] for stream in listed] == ["live", "live", "waiting", "idle", "idle"]
    live, idle = listed[0], listed[-1]
    assert set(live) == set(idle) >= {"stream", "state", "uptime_s", "source", "renditions", "watch"}
    assert live["source"]["width"] == 1280
    assert live["renditions"][0]["track"] == "vsource"
    assert (idle["uptime_s"], idle["source"], idle["renditions"]) == (None, None, [])


async def test_a_stream_has_its_publish_settings_and_when_it_was_last_live(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a"})
    created = (await api.http.get("/streams/a")).json()
    assert created["server"] == "rtmp://media.example.org:1935/live"
    assert (created["key_created_at"], created["last_live_at"]) == (NOW, None)
    record = BroadcastRecord(stream="a", broadcast=BROADCAST, started_at=NOW - 90, ended_at=NOW - 30)
    await api.catalogue.put_broadcast(record)
    assert (await api.http.get("/streams")).json()[0]["last_live_at"] == NOW - 30


@pytest.mark.parametrize("failure", [None, RuntimeError("broken")])
async def test_the_list_works_if_an_owner_does_not_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    monkeypatch.setattr(live_routes, "ASK_TIMEOUT_S", 0.01)
    for name in ("a", "b", "c"):
        await api.catalogue.create_stream(name, now=NOW)
        owner = await api.on_air(status(name))
    owner.failure = failure
    if failure is None:
        owner.gate.clear()
    claim = await api.cluster.owner_of("c")
    assert claim is not None
    await api.cluster.update(claim, ClaimState.WAITING)
    listed = (await api.http.get("/streams")).json()
    assert [(one["stream"], one["state"], one["broadcast"]) for one in listed] == [
        ("a", "live", BROADCAST),
        ("b", "live", BROADCAST),
        ("c", "waiting", BROADCAST),
    ]
    assert [one["uptime_s"] for one in listed] == [61.5, 61.5, None]


async def test_a_stream_whose_broadcast_is_ending_is_idle(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.on_air(status("a"))
    claim = await api.cluster.owner_of("a")
    assert claim is not None
    await api.cluster.update(claim, ClaimState.ENDING)
    (listed,) = (await api.http.get("/streams")).json()
    assert (listed["state"], listed["broadcast"]) == ("idle", None)


async def test_a_cluster_that_cannot_be_reached_is_503(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.cluster.close()
    answer = await api.http.get("/streams")
    assert (answer.status_code, answer.json()["code"]) == (503, "cluster-unavailable")


async def test_one_stream_is_shown(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.on_air(status("a"))
    shown = (await api.http.get("/streams/a")).json()
    assert shown["broadcast"] == BROADCAST
    assert shown["warnings"][0]["code"] == "keyframe-interval"
    missing = await api.http.get("/streams/b")
    assert (missing.status_code, missing.json()["code"]) == (404, "stream-not-found")


async def test_only_the_given_settings_change(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a", "title": "A", "ladder": "source"})
    changed = await api.http.patch("/streams/a", json={"title": "B"})
    assert changed.json()["title"] == "B"
    assert (await api.catalogue.get_stream("a")).settings.ladder == "source"
    rungs = [{"height": 720, "bitrate": "2500k"}, {"height": 360, "bitrate": 800_000}]
    assert (await api.http.patch("/streams/a", json={"ladder": rungs})).status_code == 200
    settings = (await api.catalogue.get_stream("a")).settings
    assert isinstance(settings.ladder, tuple)
    assert [rung.bitrate for rung in settings.ladder] == [2_500_000, 800_000]
    await api.http.patch("/streams/a", json={"ladder": None, "title": None})
    settings = (await api.catalogue.get_stream("a")).settings
    assert (settings.title, settings.ladder) == ("", None)


async def test_an_invalid_ladder_is_refused_with_its_position(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    answer = await api.http.patch(
        "/streams/a", json={"ladder": [{"height": 360, "bitrate": "1M"}, {"height": 720, "bitrate": "2M"}]}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert answer.json()["errors"][0]["pointer"] == "#/ladder"
    assert "from high to low" in answer.json()["detail"]


async def test_a_new_key_replaces_the_old_one(api: Api) -> None:
    _, old = await api.catalogue.create_stream("a", now=NOW)
    body = (await api.http.post("/streams/a/rotate-key")).json()
    assert set(body) == {"stream", "server", "key", "watch"}
    assert await api.catalogue.find_by_key(body["key"]) is not None
    assert await api.catalogue.find_by_key(old) is None
    assert api.keys == [("a", body["key"])]
    assert (await api.http.post("/streams/b/rotate-key")).json()["code"] == "stream-not-found"


async def test_a_backup_key_is_created_replaced_and_removed(api: Api) -> None:
    _, primary = await api.catalogue.create_stream("a", now=NOW)
    assert (await api.http.get("/streams/a")).json()["backup_key_created_at"] is None
    first = (await api.http.post("/streams/a/backup-key")).json()
    second = (await api.http.post("/streams/a/backup-key")).json()
    assert set(second) == {"stream", "server", "key", "watch"}
    assert await api.catalogue.find_publisher(first["key"]) is None
    for key, role in ((primary, Role.PRIMARY), (second["key"], Role.BACKUP)):
        publisher = await api.catalogue.find_publisher(key)
        assert publisher is not None and publisher.role is role
    assert (await api.http.get("/streams/a")).json()["backup_key_created_at"] == NOW
    assert (await api.http.delete("/streams/a/backup-key")).status_code == 204
    assert await api.catalogue.find_publisher(second["key"]) is None
    again = await api.http.delete("/streams/a/backup-key")
    assert (again.status_code, again.json()["code"]) == (404, "no-backup-key")
    assert (await api.http.post("/streams/b/backup-key")).json()["code"] == "stream-not-found"
    # The data directory keeps the primary's key only.
    assert api.keys == []


async def test_the_reconnect_window_of_a_stream(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a", "reconnect_window_s": 300})
    assert (await api.http.get("/streams/a")).json()["reconnect_window_s"] == 300
    changed = await api.http.patch("/streams/a", json={"reconnect_window_s": None})
    assert changed.json()["reconnect_window_s"] is None
    for wrong in (-1, 3601, "5m", True):
        answer = await api.http.patch("/streams/a", json={"reconnect_window_s": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_the_slate_of_a_stream(api: Api) -> None:
    await api.http.post("/streams", json={"stream": "a", "slate": "last-frame"})
    assert (await api.http.get("/streams/a")).json()["slate"] == "last-frame"
    changed = await api.http.patch("/streams/a", json={"slate": "off"})
    assert changed.json()["slate"] == "off"
    assert (await api.http.patch("/streams/a", json={"slate": None})).json()["slate"] is None
    for wrong in ("/etc/passwd", True, 1):
        answer = await api.http.patch("/streams/a", json={"slate": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_delete_ends_the_broadcast_and_revokes_the_key(api: Api) -> None:
    _, key = await api.catalogue.create_stream("a", now=NOW)
    owner = await api.on_air(status("a"))
    answer = await api.http.delete("/streams/a")
    assert (answer.status_code, answer.content) == (204, b"")
    assert owner.kills == ["the stream was deleted"]
    assert await api.catalogue.find_by_key(key) is None
    assert api.keys == [("a", None)]
    assert (await api.http.delete("/streams/a")).json()["code"] == "stream-not-found"


async def test_delete_of_an_idle_stream(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    assert (await api.http.delete("/streams/a")).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/streams/a", {"private": 0}),
        ("PATCH", "/streams/a", {"private": "no"}),
        ("PATCH", "/streams/a", {"private": None}),
        ("PATCH", "/streams/a", {"title": 5}),
        ("PATCH", "/streams/a", {"ladder": [{"height": "720", "bitrate": "2500k"}]}),
        ("PATCH", "/streams/a", {"ladder": [{"height": True, "bitrate": "2500k"}]}),
        ("POST", "/streams", {"stream": "b", "private": "false"}),
        ("POST", "/streams", {"stream": 5}),
        ("POST", "/streams/a/tokens", {"for_s": "60"}),
        ("POST", "/streams/a/tokens", {"for_s": True}),
        ("POST", "/streams/a/tokens", {"for_s": 60.5}),
        ("POST", "/streams/a/kill", {"ban_s": "60"}),
        ("POST", "/streams/a/kill", {"ban_s": True}),
        ("POST", "/streams/a/kill", {"reason": 5}),
    ],
)
async def test_a_value_of_another_type_is_refused(
    api: Api, method: str, path: str, body: dict[str, object]
) -> None:
    await api.catalogue.create_stream("a", StreamSettings(private=True), now=NOW)
    answer = await api.http.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert (await api.catalogue.get_stream("a")).settings.private
