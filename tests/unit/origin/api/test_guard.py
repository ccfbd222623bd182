"""Scopes of the routes, wrong tokens and their limits."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from structlog.testing import capture_logs

from origin.api.auth import WRONG_TOKEN_INTERVAL_S, WRONG_TOKENS
from origin.api.guard import GuardedRoute, needs
from storage import StoreUnavailable
from storage.catalogue.api_token_text import new_api_token
from storage.catalogue.scopes import Scope
from tests.unit.origin.api.conftest import TOKEN, Api

READ, OPERATE, ADMIN = Scope

SCOPES = {
    ("GET", "/streams"): READ,
    ("POST", "/streams"): ADMIN,
    ("GET", "/streams/{stream}"): READ,
    ("PATCH", "/streams/{stream}"): OPERATE,
    ("DELETE", "/streams/{stream}"): ADMIN,
    ("POST", "/streams/{stream}/rotate-key"): ADMIN,
    ("POST", "/streams/{stream}/backup-key"): ADMIN,
    ("DELETE", "/streams/{stream}/backup-key"): ADMIN,
    ("GET", "/streams/{stream}/keys"): READ,
    ("POST", "/streams/{stream}/keys"): ADMIN,
    ("POST", "/streams/{stream}/keys/{name}/rotate"): ADMIN,
    ("DELETE", "/streams/{stream}/keys/{name}"): ADMIN,
    ("POST", "/streams/{stream}/tokens"): OPERATE,
    ("POST", "/streams/{stream}/kill"): OPERATE,
    ("POST", "/streams/{stream}/ban"): OPERATE,
    ("DELETE", "/streams/{stream}/ban"): OPERATE,
    ("POST", "/streams/{stream}/switch"): OPERATE,
    ("GET", "/streams/{stream}/history"): READ,
    ("GET", "/streams/{stream}/qoe"): READ,
    ("GET", "/streams/{stream}/thumbnail.jpg"): READ,
    ("GET", "/streams/{stream}/broadcasts"): READ,
    ("GET", "/streams/{stream}/broadcasts/{broadcast}/events"): READ,
    ("DELETE", "/streams/{stream}/broadcasts/{broadcast}"): ADMIN,
    ("PUT", "/streams/{stream}/broadcasts/{broadcast}/keep"): OPERATE,
    ("DELETE", "/streams/{stream}/broadcasts/{broadcast}/keep"): ADMIN,
    ("POST", "/sweep"): ADMIN,
    ("GET", "/usage"): READ,
    ("GET", "/streams/{stream}/events"): READ,
    ("GET", "/api-tokens"): ADMIN,
    ("POST", "/api-tokens"): ADMIN,
    ("DELETE", "/api-tokens/{name}"): ADMIN,
    ("GET", "/audit"): ADMIN,
    ("GET", "/access"): READ,
    ("GET", "/hooks"): ADMIN,
    ("POST", "/hooks"): ADMIN,
    ("GET", "/hooks/{hook}"): ADMIN,
    ("PATCH", "/hooks/{hook}"): ADMIN,
    ("DELETE", "/hooks/{hook}"): ADMIN,
    ("POST", "/hooks/{hook}/rotate-secret"): ADMIN,
    ("POST", "/hooks/{hook}/test"): ADMIN,
    ("POST", "/hooks/{hook}/replay"): ADMIN,
    ("GET", "/hooks/{hook}/attempts"): ADMIN,
    ("GET", "/hooks/{hook}/dead"): ADMIN,
    ("GET", "/version"): READ,
    ("POST", "/drain"): ADMIN,
    ("GET", "/drain"): READ,
    ("GET", "/events"): READ,
    ("POST", "/reload"): ADMIN,
}
BODIES = {
    "/drain": {},
    "/streams": {"stream": "b"},
    "/api-tokens": {"name": "other", "scope": "read"},
    "/streams/{stream}": {},
    "/streams/{stream}/keys": {"name": "guest"},
    "/hooks": {"url": "https://example.org/headwater"},
    "/hooks/{hook}": {},
    "/hooks/{hook}/replay": {},
}
# What a stream without a picture or a backup key, and an unknown token or hook, answer with 404.
ABSENT = ("no-thumbnail", "no-backup-key", "key-not-found", "not-banned", "api-token-not-found", "hook-not-found")
PUBLIC = {("GET", "/watch/{stream}"), ("GET", "/playback/{stream}/{path_token}")}


def routes(app: FastAPI) -> dict[tuple[str, str], APIRoute]:
    """Every route of the API, also those that its OpenAPI document does not list."""
    return {
        (method, str(context.path).removeprefix("/api/v1")): context.original_route
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute)
        for method in context.original_route.methods or ()
    }


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def token_of(api: Api, scope: Scope, name: str | None = None) -> str:
    return (await api.auth.tokens.create(name or f"t-{scope}", scope, now=api.now))[1]


@contextmanager
def coming_from(api: Api, address: str) -> Iterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(api.app, client=(address, 1))
    yield httpx.AsyncClient(transport=transport, base_url="http://origin/api/v1")


def test_the_table_of_routes_has_a_scope_for_each(api: Api) -> None:
    found = routes(api.app)
    assert found.keys() == SCOPES.keys() | PUBLIC
    declared = {key: route.access.scope for key, route in found.items() if isinstance(route, GuardedRoute)}
    assert declared == SCOPES
    changes = {
        key: route.access.action
        for key, route in found.items()
        if isinstance(route, GuardedRoute) and route.access.action is not None
    }
    assert changes.keys() == {key for key in SCOPES if key[0] != "GET"}
    assert len(set(changes.values())) == len(changes)


@pytest.mark.parametrize(("method", "path"), SCOPES)
@pytest.mark.parametrize("scope", Scope)
async def test_each_scope_opens_its_routes_and_no_others(api: Api, method: str, path: str, scope: Scope) -> None:
    await api.catalogue.create_stream("a", now=api.now)
    headers, needed = bearer(await token_of(api, scope)), SCOPES[method, path]
    url = path.replace("{stream}", "a").replace("{name}", "t-read")
    # Otherwise the answer of /events has no end.
    api.events.close()
    answer = await api.public.request(method, url, headers=headers, json=BODIES.get(path))
    if scope.includes(needed):
        assert answer.status_code in (200, 201, 204, 404, 409), answer.text
        assert answer.status_code != 404 or answer.json()["code"] in ("broadcast-not-found", *ABSENT)
        assert "no-store" in answer.headers["cache-control"].split(", ")
        return
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert answer.json()["detail"] == f"this needs a token with the scope {needed}: the token t-{scope} has {scope}"
    assert answer.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{needed}"'
    assert [record.stream for record in await api.catalogue.list_streams()] == ["a"]


def test_the_document_names_the_scope_of_each_route(api: Api) -> None:
    paths = api.app.openapi()["paths"]
    for (method, path), scope in SCOPES.items():
        operation = paths[f"/api/v1{path}"][method.lower()]
        assert operation["x-scope"] == scope
        assert ("403" in operation["responses"]) == (scope is not READ)
        assert {"401", "429"} <= operation["responses"].keys()


def test_a_route_without_a_scope_or_a_name_for_its_change_is_impossible() -> None:
    router = APIRouter(route_class=GuardedRoute)

    async def forgotten() -> None: ...

    @needs(READ)
    async def unnamed() -> None: ...

    with pytest.raises(TypeError, match="declare the scope of forgotten"):
        router.get("/forgotten")(forgotten)
    with pytest.raises(TypeError, match="name the change of unnamed"):
        router.post("/unnamed")(unnamed)
    router.get("/named")(unnamed)


async def test_expired_and_revoked_tokens_are_refused_with_the_reason(api: Api) -> None:
    _, token = await api.auth.tokens.create("brief", READ, now=api.now, expires_at=api.now + 60)
    assert (await api.public.get("/version", headers=bearer(token))).status_code == 200
    api.now += 60
    answer = await api.public.get("/version", headers=bearer(token))
    assert (answer.status_code, answer.json()["detail"]) == (401, "the token brief has expired: create another one")
    await api.auth.tokens.revoke("brief")
    answer = await api.public.get("/version", headers=bearer(token))
    assert "mistyped, revoked, or for another server" in answer.json()["detail"]


async def test_access_describes_the_token_of_the_request(api: Api) -> None:
    record, token = await api.auth.tokens.create("brief", OPERATE, now=api.now, expires_at=api.now + 60)
    assert (await api.public.get("/access", headers=bearer(token))).json() == {
        "name": "brief",
        "id": record.id,
        "scope": "operate",
        "expires_at": api.now + 60,
    }
    answer = await api.http.get("/access")
    assert answer.json() == {"name": "api-token", "id": "file", "scope": "admin", "expires_at": None}


async def test_wrong_tokens_are_throttled_by_address_and_right_ones_are_not(api: Api) -> None:
    right = await token_of(api, READ)
    with coming_from(api, "203.0.113.7") as guesser, coming_from(api, "198.51.100.1") as other:
        answers = [await guesser.get("/version", headers=bearer("wrong")) for _ in range(WRONG_TOKENS + 1)]
        assert [answer.status_code for answer in answers] == [401] * WRONG_TOKENS + [429]
        refused = await guesser.get("/version", headers=bearer("wrong"))
        assert refused.json()["code"] == "too-many-wrong-tokens"
        assert refused.headers["retry-after"] == "6"
        for token in (right, TOKEN):
            assert (await guesser.get("/version", headers=bearer(token))).status_code == 200
        assert (await other.get("/version", headers=bearer("wrong"))).status_code == 401
        api.now += WRONG_TOKEN_INTERVAL_S
        assert (await guesser.get("/version", headers=bearer("wrong"))).status_code == 401
        assert (await guesser.get("/version", headers=bearer("wrong"))).status_code == 429


async def test_wrong_tokens_are_counted_by_network_for_ipv6(api: Api) -> None:
    for number in range(WRONG_TOKENS):
        with coming_from(api, f"2001:db8::{number:x}") as guesser:
            await guesser.get("/version", headers=bearer("wrong"))
    for address, status in (("2001:db8::ffff", 429), ("2001:db8:0:1::1", 401)):
        with coming_from(api, address) as guesser:
            assert (await guesser.get("/version", headers=bearer("wrong"))).status_code == status


async def test_a_request_without_a_token_is_no_wrong_token(api: Api) -> None:
    assert {(await api.public.get("/version")).status_code for _ in range(WRONG_TOKENS + 2)} == {401}


async def test_a_throttled_address_costs_the_store_nothing(api: Api) -> None:
    await token_of(api, READ, "guess-0")
    with coming_from(api, "203.0.113.7") as guesser:
        for number in range(WRONG_TOKENS):
            await guesser.get("/version", headers=bearer(new_api_token(f"guess-{number}")))
        api.store.calls.clear()
        for number in range(WRONG_TOKENS):
            for name in (f"more-{number}", "guess-0"):
                headers = bearer(new_api_token(name))
                assert (await guesser.get("/version", headers=headers)).status_code == 429
        assert api.store.calls == []


async def test_the_token_of_the_data_directory_works_while_the_store_fails(api: Api) -> None:
    api.store.failing = StoreUnavailable("down")
    assert (await api.http.get("/version")).status_code == 200
    answer = await api.public.get("/version", headers=bearer(new_api_token("other")))
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")


async def test_a_refusal_is_logged_with_its_address_and_without_the_token(api: Api) -> None:
    wrong = new_api_token("backup")
    with capture_logs() as lines, coming_from(api, "203.0.113.7") as guesser:
        await guesser.get("/version", headers=bearer(wrong))
    assert [(line["event"], line["code"], line["address"]) for line in lines] == [
        ("an API request was refused", "unauthorized", "203.0.113.7")
    ]
    assert wrong not in str(lines)
