"""Named keys of a stream, and bans of streams that may be idle."""

import pytest

from live.status import StreamState
from storage.catalogue.named_keys import MAX_NETWORKS
from tests.lab.waiting import run_until_idle
from tests.unit.origin.api.conftest import NOW, Api
from tests.unit.origin.api.live import status

DAY = 86_400.0


async def actions(api: Api) -> list[tuple[str, str, dict[str, object]]]:
    entries = (await api.http.get("/audit")).json()["entries"]
    return [(entry["action"], entry["result"], entry["details"]) for entry in entries]


async def test_a_key_is_shown_once_and_listed_with_its_limits_and_use(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    body = {"name": "guest", "expires_at": NOW + 30 * DAY, "addresses": ["203.0.113.9/24", "2001:DB8::/32"]}
    made = await api.http.post("/streams/a/keys", json=body)
    assert made.status_code == 201
    key = made.json()["key"]
    assert (made.json()["stream"], made.json()["server"]) == ("a", "rtmp://media.example.org:1935/live")
    publisher = await api.catalogue.find_publisher(key)
    assert publisher is not None and publisher.key.name == "guest"
    api.catalogue.keys.note_use(publisher.key, "203.0.113.7", now=NOW + 60)
    await run_until_idle()
    listed = await api.http.get("/streams/a/keys")
    assert key not in listed.text
    assert listed.json() == [
        {
            "name": "primary",
            "role": "primary",
            "created_at": NOW,
            "expires_at": None,
            "addresses": [],
            "last_used_at": None,
            "last_used_from": None,
        },
        {
            "name": "guest",
            "role": "primary",
            "created_at": NOW,
            "expires_at": NOW + 30 * DAY,
            "addresses": ["203.0.113.0/24", "2001:db8::/32"],
            "last_used_at": NOW + 60,
            "last_used_from": "203.0.113.7",
        },
    ]
    assert api.keys == []
    limits = {"expires_at": NOW + 30 * DAY, "addresses": ["203.0.113.0/24", "2001:db8::/32"]}
    assert await actions(api) == [("stream-key-create", "done", {"name": "guest", **limits, "role": "primary"})]


async def test_a_rotated_key_replaces_the_old_one_and_disconnects_nobody(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    owner = await api.on_air(status("a"))
    old = (await api.http.post("/streams/a/keys", json={"name": "guest"})).json()["key"]
    new = (await api.http.post("/streams/a/keys/guest/rotate")).json()["key"]
    assert await api.catalogue.find_publisher(old) is None
    assert await api.catalogue.find_publisher(new) is not None
    later = await api.http.post("/streams/a/keys/guest/rotate", json={"expires_at": NOW + DAY})
    assert later.json()["expires_at"] == NOW + DAY
    primary = (await api.http.post("/streams/a/keys/primary/rotate")).json()["key"]
    assert api.keys == [("a", primary)]
    assert owner.disconnects == []
    assert ("stream-key-rotate", "done", {"name": "primary", "expires_at": None}) in await actions(api)


async def test_a_revoked_key_disconnects_its_publisher(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    key = (await api.http.post("/streams/a/keys", json={"name": "guest"})).json()["key"]
    publisher = await api.catalogue.find_publisher(key)
    assert publisher is not None
    owner = await api.on_air(status("a"))
    assert (await api.http.delete("/streams/a/keys/guest")).status_code == 204
    assert owner.disconnects == [(publisher.key.key_hash, "the stream key guest was revoked")]
    assert await api.catalogue.find_publisher(key) is None
    await api.off_air("a")
    assert (await api.http.delete("/streams/a/keys/primary")).status_code == 204
    assert api.keys == [("a", None)]
    assert (await api.http.get("/streams/a/keys")).json() == []
    assert ("stream-key-revoke", "done", {"name": "primary"}) in await actions(api)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "Guest!"}, "bad-key"),
        ({"name": "guest", "expires_at": NOW}, "bad-key"),
        ({"name": "backup", "addresses": ["::1"]}, "bad-key"),
        ({"name": "primary"}, "key-exists"),
        ({"name": "guest", "addresses": ["example.org"]}, "invalid-request"),
        ({"name": "guest", "addresses": ["10.0.0.1"] * (MAX_NETWORKS + 1)}, "invalid-request"),
        ({"name": "guest", "expires_at": "soon"}, "invalid-request"),
        ({"name": "guest", "expires_at": 1e30}, "invalid-request"),
        ({"name": "guest", "role": "third"}, "invalid-request"),
        ({"name": "guest", "for_s": 5}, "invalid-request"),
    ],
)
async def test_a_key_that_cannot_be_is_refused(api: Api, body: dict[str, object], code: str) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    answer = await api.http.post("/streams/a/keys", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409 if code == "key-exists" else 422, code)


async def test_unknown_keys_and_streams_are_404(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    for method, path, code in (
        ("GET", "/streams/b/keys", "stream-not-found"),
        ("DELETE", "/streams/a/keys/guest", "key-not-found"),
        ("POST", "/streams/a/keys/guest/rotate", "key-not-found"),
        ("POST", "/streams/b/ban", "stream-not-found"),
        ("DELETE", "/streams/b/ban", "stream-not-found"),
        ("DELETE", "/streams/a/ban", "not-banned"),
    ):
        answer = await api.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_a_key_that_expires_soon_is_a_warning(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.catalogue.keys.create("a", "guest", now=NOW - 30 * DAY, expires_at=NOW + 3 * DAY)
    await api.catalogue.keys.create("a", "later", now=NOW, expires_at=NOW + 8 * DAY)
    await api.on_air(status("a"))
    shown = (await api.http.get("/streams/a")).json()
    assert [warning["code"] for warning in shown["warnings"]] == ["keyframe-interval", "key-expires"]
    warning = shown["warnings"][1]
    assert warning["text"].startswith("the stream key guest expires in 3 days: `headwater keys rotate a guest")
    assert warning["since_s"] == 4 * DAY
    api.now = NOW + 3 * DAY - 3600
    assert "expires in 1 h" in (await api.http.get("/streams/a")).json()["warnings"][1]["text"]
    api.now = NOW + 3 * DAY
    codes = [warning["text"] for warning in (await api.http.get("/streams")).json()[0]["warnings"]]
    assert not any("guest" in text for text in codes)


async def test_an_idle_stream_is_banned_and_the_ban_is_lifted(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    body = {"for_s": 3600, "reason": "wrong scene"}
    banned = await api.http.post("/streams/a/ban", json=body)
    assert banned.json() == {"stream": "a", "until": NOW + 3600, "reason": "wrong scene", "ended": False}
    for path in ("/streams/a", "/streams"):
        shown = (await api.http.get(path)).json()
        one = shown[0] if isinstance(shown, list) else shown
        assert (one["state"], one["ban"]) == ("idle", {"until": NOW + 3600, "reason": "wrong scene"})
    assert (await api.http.delete("/streams/a/ban")).status_code == 204
    assert (await api.http.get("/streams/a")).json()["ban"] is None
    done = await actions(api)
    assert ("ban", "done", body) in done and ("unban", "done", {}) in done


async def test_a_ban_without_a_length_lasts_and_ends_the_broadcast(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    owner = await api.on_air(status("a", StreamState.LIVE))
    banned = (await api.http.post("/streams/a/ban")).json()
    assert banned == {"stream": "a", "until": None, "reason": "", "ended": True}
    assert owner.kills == ["the operator has banned this stream"]
    api.now = NOW + 400 * DAY
    assert (await api.http.get("/streams/a")).json()["ban"] == {"until": None, "reason": ""}


async def test_a_ban_ends_by_itself(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.http.post("/streams/a/ban", json={"for_s": 60})
    api.now = NOW + 60
    assert (await api.http.get("/streams/a")).json()["ban"] is None
    assert (await api.http.delete("/streams/a/ban")).json()["code"] == "not-banned"
    for wrong in (0, -1, "60", 1e12, True):
        answer = await api.http.post("/streams/a/ban", json={"for_s": wrong})
        assert answer.json()["code"] == "invalid-request"
