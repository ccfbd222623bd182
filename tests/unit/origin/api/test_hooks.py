"""The routes of hooks; tests/unit/control/hooks tests what is sent."""

import pytest

from tests.unit.origin.api.conftest import NOW, Api
from tests.unit.origin.fake_service import dead_letter

URL = "https://example.org/secret-path?token=t"
DEAD = dead_letter("9f86d081", "studio-a", NOW)


async def add(api: Api, **fields: object) -> dict[str, object]:
    answer = await api.http.post("/hooks", json={"url": URL, **fields})
    assert answer.status_code == 201, answer.text
    added: dict[str, object] = answer.json()
    return added


async def test_the_secret_is_shown_once(api: Api) -> None:
    added = await add(api, events=["stream.live"] * 2, streams=["studio-a"])
    assert added["events"] == ["stream.live"]
    secret = added.pop("secret")
    assert str(secret).startswith("whsec_")
    (listed,) = (await api.http.get("/hooks")).json()
    assert listed == {**added, "pending": 0, "dead": 0}
    assert (await api.http.get(f"/hooks/{added['id']}")).json() == listed
    rotated = (await api.http.post(f"/hooks/{added['id']}/rotate-secret")).json()
    assert rotated["secret"] != secret
    assert rotated["old_secret_until"] == NOW + 86_400


async def test_a_hook_is_changed_disabled_and_enabled(api: Api) -> None:
    hook = (await add(api, streams=["studio-a"]))["id"]
    changed = (await api.http.patch(f"/hooks/{hook}", json={"events": ["stream.ended"], "enabled": False})).json()
    assert (changed["events"], changed["streams"]) == (["stream.ended"], ["studio-a"])
    assert changed["disabled_reason"] == "the operator disabled it"
    refused = await api.http.post(f"/hooks/{hook}/replay", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "hook-disabled")
    enabled = (await api.http.patch(f"/hooks/{hook}", json={"enabled": True})).json()
    assert (enabled["disabled_reason"], enabled["events"]) == (None, ["stream.ended"])


async def test_dead_messages_are_listed_and_replayed(api: Api) -> None:
    hook = (await add(api))["id"]
    api.hooks.letters = [DEAD]
    (dead,) = (await api.http.get(f"/hooks/{hook}/dead")).json()
    assert dead == {
        "id": DEAD.id,
        "event": "stream.live",
        "stream": "studio-a",
        "created_at": NOW,
        "died_at": NOW,
        "attempts": 31,
        "error": "500 Internal Server Error",
    }
    missing = await api.http.post(f"/hooks/{hook}/replay", json={"delivery": "msg_1"})
    assert (missing.status_code, missing.json()["code"]) == (404, "delivery-not-found")
    assert (await api.http.post(f"/hooks/{hook}/replay", json={})).json() == {"replayed": 1}


async def test_a_test_answers_with_the_attempt(api: Api) -> None:
    hook = (await add(api))["id"]
    attempt = (await api.http.post(f"/hooks/{hook}/test")).json()
    assert (attempt["outcome"], attempt["status"], attempt["event"]) == ("delivered", 204, "hook.test")
    assert (await api.http.get(f"/hooks/{hook}/attempts?limit=1")).json() == [attempt]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid-request"),
        ({"url": "ftp://example.org"}, "invalid-request"),
        ({"url": "https://user@example.org/"}, "invalid-request"),
        ({"url": "https://private.example.org/"}, "bad-hook-target"),
        ({"url": "https://example.org/" + "a" * 2048}, "invalid-request"),
        ({"url": URL, "events": ["stream.paused"]}, "invalid-request"),
        ({"url": URL, "events": ["hook.test"]}, "invalid-request"),
        ({"url": URL, "streams": ["Studio A"]}, "invalid-request"),
        ({"url": URL, "streams": ["a"] * 101}, "invalid-request"),
        ({"url": URL, "secret": "whsec_bXk="}, "invalid-request"),
    ],
)
async def test_bad_hooks_are_refused(api: Api, body: dict[str, object], code: str) -> None:
    answer = await api.http.post("/hooks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await api.http.get("/hooks")).json() == []


async def test_an_unknown_hook_is_not_found(api: Api) -> None:
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/replay"),
        ("POST", "/rotate-secret"),
        ("GET", "/attempts"),
        ("GET", "/dead"),
    ):
        body: dict[str, object] | None = {} if method in ("PATCH", "POST") else None
        answer = await api.http.request(method, f"/hooks/9f86d081{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "hook-not-found"), path


async def test_the_audit_log_has_the_changes_without_secrets(api: Api) -> None:
    hook = str((await add(api, events=["stream.live"]))["id"])
    for method, path, body in (
        ("PATCH", "", {"enabled": False}),
        ("POST", "/rotate-secret", None),
        ("POST", "/test", None),
        ("DELETE", "", None),
    ):
        api.now += 1
        await api.http.request(method, f"/hooks/{hook}{path}", json=body)
    entries = (await api.http.get("/audit")).json()["entries"]
    assert [(entry["action"], entry["details"]) for entry in reversed(entries)] == [
        ("hook-add", {"target": "https://example.org", "events": ["stream.live"], "streams": [], "id": hook}),
        ("hook-change", {"id": hook, "enabled": False}),
        ("hook-rotate-secret", {"id": hook}),
        ("hook-test", {"id": hook, "outcome": "delivered"}),
        ("hook-remove", {"id": hook, "target": "https://example.org"}),
    ]
