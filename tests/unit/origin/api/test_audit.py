"""What the API writes to the audit log, and how it is read."""

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from origin.api.refusals import MAX_ADDRESSES, MAX_NAMED, RefusalTally
from storage import StoreUnavailable
from storage.audit import AuditActor, AuditLog
from storage.catalogue.scopes import Scope
from tests.lab.memory_store import MemoryStore
from tests.unit.origin.api.conftest import NOW, TOKEN, Api
from tests.unit.origin.api.live import status


async def entries(api: Api, **query: str | float) -> list[dict[str, Any]]:
    answer = await api.http.get("/audit", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def changes(api: Api) -> list[tuple[str, str, str | None, dict[str, Any]]]:
    """Action, result, stream and details of each entry, oldest first."""
    return [
        (entry["action"], entry["result"], entry["stream"], entry["details"])
        for entry in reversed(await entries(api))
    ]


async def test_every_change_is_recorded_with_what_changed(api: Api) -> None:
    http, secrets = api.http, []
    made = await http.post("/streams", json={"stream": "a", "title": "A"})
    secrets.append(made.json()["key"])
    for body in ({"private": True, "title": "A"}, {"title": None}, {}):
        api.now += 1
        await http.patch("/streams/a", json=body)
    api.now += 1
    secrets.append((await http.post("/streams/a/rotate-key")).json()["key"])
    api.now += 1
    secrets.append((await http.post("/streams/a/tokens", json={"for_s": 60})).json()["token"])
    expires_at = int(api.now) + 60
    on_air = status("a")
    await api.on_air(on_air)
    api.now += 1
    await http.post("/streams/a/kill", json={"ban_s": 60, "reason": "wrong stream"})
    await api.off_air("a")
    api.now += 1
    token = (await http.post("/api-tokens", json={"name": "backup", "scope": "read", "for_s": 60})).json()
    secrets.append(token["token"])
    api.now += 1
    await http.delete("/api-tokens/backup")
    api.now += 1
    await http.delete("/streams/a")
    kill = {"ban_s": 60.0, "reason": "wrong stream", "broadcast": on_air.broadcast}
    created = {"name": "backup", "scope": "read", "expires_at": token["expires_at"], "id": token["id"]}
    assert await changes(api) == [
        ("stream-create", "done", "a", {"title": "A"}),
        ("stream-change", "done", "a", {"private": {"from": False, "to": True}}),
        ("stream-change", "done", "a", {"title": {"from": "A", "to": ""}}),
        ("stream-change", "done", "a", {}),
        ("key-rotate", "done", "a", {"name": "primary"}),
        ("viewer-token-create", "done", "a", {"expires_at": expires_at, "address": None}),
        ("kill", "done", "a", kill),
        ("api-token-create", "done", None, created),
        ("api-token-revoke", "done", None, {"name": "backup", "id": token["id"], "scope": "read"}),
        ("stream-delete", "done", "a", {}),
    ]
    await api.audit.close()
    written = b"".join(found.body for key, found in api.store.objects.items() if key.startswith("catalogue/audit/"))
    assert b"viewer-token-create" in written
    for secret in [*secrets, TOKEN]:
        assert secret.encode() not in written


async def test_an_entry_has_the_token_the_address_and_the_client(api: Api) -> None:
    record, token = await api.auth.tokens.create("studio", Scope.ADMIN, now=NOW)
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "a\tb\x7f" + "x" * 500}
    transport = httpx.ASGITransport(api.app, client=("2001:db8::7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://origin/api/v1") as http:
        await http.post("/streams", json={"stream": "a"}, headers=headers)
    (entry,) = await entries(api)
    assert entry["token"] == {"name": "studio", "id": record.id, "scope": "admin"}
    assert entry["address"] == "2001:db8::7"
    assert entry["client"] == "a�b�" + "x" * 196
    assert entry["at"] == NOW


async def test_changes_that_fail_are_recorded_with_their_code(api: Api) -> None:
    for method, path, body in (
        ("POST", "/streams", {"stream": "a"}),
        ("POST", "/streams", {"stream": "a"}),
        ("POST", "/streams/a/kill", None),
        ("DELETE", "/streams/b", None),
        ("POST", "/streams/a/kill", {"ban_s": "soon"}),
    ):
        api.now += 1
        await api.http.request(method, path, json=body)
    assert [(action, result) for action, result, _, _ in await changes(api)] == [
        ("stream-create", "done"),
        ("stream-create", "stream-exists"),
        ("kill", "not-live"),
        ("stream-delete", "stream-not-found"),
    ]


async def test_reading_is_not_recorded(api: Api) -> None:
    for path in ("/streams", "/version", "/access", "/audit", "/api-tokens"):
        await api.http.get(path)
    assert await entries(api) == []


async def test_a_failing_store_does_not_keep_a_broadcast_on_air(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    owner = await api.on_air(status("a"))
    api.store.failing = StoreUnavailable("down")
    with capture_logs() as lines:
        assert (await api.http.post("/streams/a/kill")).status_code == 200
    assert owner.kills == ["ended by the operator"]
    assert ("audit", "kill", "a") in [(line["event"], line.get("action"), line.get("stream")) for line in lines]
    api.store.failing = None
    assert [entry["action"] for entry in await entries(api)] == ["kill"]


async def test_entries_are_selected_by_stream_and_time(api: Api) -> None:
    for number in range(3):
        api.now = NOW + number
        await api.http.post("/streams", json={"stream": f"s-{number}"})
    assert [entry["stream"] for entry in await entries(api)] == ["s-2", "s-1", "s-0"]
    assert [entry["stream"] for entry in await entries(api, stream="s-1")] == ["s-1"]
    assert [entry["stream"] for entry in await entries(api, since=NOW + 1, before=NOW + 2)] == ["s-1"]
    answer = (await api.http.get("/audit", params={"limit": 1})).json()
    assert ([entry["stream"] for entry in answer["entries"]], answer["complete_since"]) == (["s-2"], NOW + 2)
    week_before = (await api.http.get("/audit")).json()["complete_since"]
    assert week_before == NOW + 3 - 7 * 86_400
    year_before = (await api.http.get("/audit", params={"since": 0})).json()["complete_since"]
    assert year_before == NOW + 3 - 366 * 86_400


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "since=-1", "since=nan", "before=inf", "before=1e12", f"stream={'a' * 64}"]
)
async def test_invalid_queries_are_refused(api: Api, query: str) -> None:
    answer = await api.http.get(f"/audit?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_a_flood_of_wrong_tokens_is_one_entry(api: Api) -> None:
    for number in range(300):
        transport = httpx.ASGITransport(api.app, client=(f"10.0.0.{number % 30}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://origin/api/v1") as http:
            await http.get("/version", headers={"Authorization": "Bearer hw_guess_1"})
    api.auth.close()
    (entry,) = await entries(api)
    assert (entry["action"], entry["result"], entry["token"]) == ("refused", "unauthorized", None)
    assert entry["details"]["count"] == 300
    named = dict(entry["details"]["addresses"])
    assert named.pop("others") == 100 and len(named) == MAX_NAMED and set(named.values()) == {10}


async def test_a_token_beyond_its_scope_is_in_the_log(api: Api) -> None:
    _, token = await api.auth.tokens.create("viewer", Scope.READ, now=NOW)
    for _ in range(3):
        await api.public.delete("/streams/a", headers={"Authorization": f"Bearer {token}"})
    api.auth.close()
    (entry,) = await entries(api)
    assert (entry["action"], entry["result"], entry["token"]["name"]) == ("refused", "scope-missing", "viewer")
    assert (entry["address"], entry["details"]["count"]) == ("127.0.0.1", 3)


async def test_refusals_are_recorded_once_in_an_interval_and_counted_in_bounds() -> None:
    store = MemoryStore()
    audit = AuditLog(store)
    tally = RefusalTally(audit, lambda: NOW, interval=0.01)
    for number in range(MAX_ADDRESSES + 500):
        tally.add("unauthorized", f"10.1.{number >> 8}.{number & 255}")
    assert sum(len(counts) for counts in tally._counts.values()) <= MAX_ADDRESSES + 1
    tally.add("scope-missing", "10.2.0.1", AuditActor(name="viewer", id="1", scope=Scope.READ))
    while not store.puts:
        await asyncio.sleep(0.01)
    await audit.close()
    page = await audit.read(since=NOW, before=NOW + 1, limit=9)
    assert sorted((entry.result, entry.details["count"]) for entry in page.entries) == [
        ("scope-missing", 1),
        ("unauthorized", MAX_ADDRESSES + 500),
    ]
