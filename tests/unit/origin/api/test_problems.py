"""Errors and the operator's token."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import HTTPException

from media.errors import MediaError
from storage.interface import StoreUnavailable
from tests.unit.origin.api.conftest import TOKEN, Api

PROTECTED = [
    ("GET", "/streams"),
    ("POST", "/streams"),
    ("GET", "/streams/a"),
    ("PATCH", "/streams/a"),
    ("DELETE", "/streams/a"),
    ("POST", "/streams/a/rotate-key"),
    ("POST", "/streams/a/backup-key"),
    ("DELETE", "/streams/a/backup-key"),
    ("GET", "/streams/a/keys"),
    ("POST", "/streams/a/keys"),
    ("POST", "/streams/a/keys/{name}/rotate"),
    ("DELETE", "/streams/a/keys/{name}"),
    ("POST", "/streams/a/tokens"),
    ("POST", "/streams/a/kill"),
    ("POST", "/streams/a/ban"),
    ("DELETE", "/streams/a/ban"),
    ("POST", "/streams/a/switch"),
    ("GET", "/streams/a/history"),
    ("GET", "/streams/a/qoe"),
    ("GET", "/streams/a/thumbnail.jpg"),
    ("GET", "/streams/a/broadcasts"),
    ("GET", "/streams/a/broadcasts/{broadcast}/events"),
    ("GET", "/streams/a/events"),
    ("DELETE", "/streams/a/broadcasts/{broadcast}"),
    ("PUT", "/streams/a/broadcasts/{broadcast}/keep"),
    ("DELETE", "/streams/a/broadcasts/{broadcast}/keep"),
    ("POST", "/sweep"),
    ("GET", "/usage"),
    ("GET", "/api-tokens"),
    ("POST", "/api-tokens"),
    ("DELETE", "/api-tokens/{name}"),
    ("GET", "/audit"),
    ("GET", "/hooks"),
    ("POST", "/hooks"),
    ("GET", "/hooks/{hook}"),
    ("PATCH", "/hooks/{hook}"),
    ("DELETE", "/hooks/{hook}"),
    ("POST", "/hooks/{hook}/rotate-secret"),
    ("POST", "/hooks/{hook}/test"),
    ("POST", "/hooks/{hook}/replay"),
    ("GET", "/hooks/{hook}/attempts"),
    ("GET", "/hooks/{hook}/dead"),
    ("GET", "/access"),
    ("GET", "/version"),
    ("POST", "/drain"),
    ("GET", "/drain"),
    ("GET", "/events"),
    ("POST", "/reload"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_requests_without_the_token_are_unauthorized(api: Api, method: str, path: str) -> None:
    for header in (None, "Bearer wrong", f"Basic {TOKEN}", "Bearer", "Bearer ünknown"):
        headers = httpx.Headers({} if header is None else {b"Authorization": header.encode()})
        answer = await api.public.request(method, path, headers=headers)
        assert answer.status_code == 401, header
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unauthorized"


def test_all_routes_but_the_viewers_are_protected(api: Api) -> None:
    document = api.app.openapi()
    routes = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    expected = {(method, "/api/v1" + path.replace("/streams/a", "/streams/{stream}")) for method, path in PROTECTED}
    assert routes - expected == {
        ("GET", "/api/v1/watch/{stream}"),
        ("GET", "/api/v1/cmcd"),
        ("POST", "/api/v1/cmcd"),
        ("GET", "/api/v1/playback/{stream}/{path_token}"),
    }
    secured = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if operation.get("security")
    }
    assert secured == expected


async def test_the_operators_answers_are_not_cached(api: Api) -> None:
    answer = await api.http.get("/version")
    assert answer.json() == {"version": "9.9.9"}
    assert answer.headers["cache-control"] == "no-store"


async def test_a_problem_has_every_member(api: Api) -> None:
    answer = await api.http.get("/streams/b")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "type": "urn:headwater:problem:stream-not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no stream b",
        "code": "stream-not-found",
    }


async def test_unknown_fields_are_refused_by_name(api: Api) -> None:
    answer = await api.http.post("/streams", json={"stream": "a", "tilte": "A", "ladder": "sauce"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["pointer"] for error in answer.json()["errors"]} == {"#/tilte", "#/ladder"}
    assert "tilte is not a field of this request" in answer.json()["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 10_000])
async def test_a_body_that_is_not_json_is_refused(api: Api, content: bytes) -> None:
    answer = await api.http.post("/streams", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/streams", "/streams/a/kill"])
async def test_an_endless_body_is_cut_off_even_without_the_token(api: Api, path: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024
            yield b" " * 1024

    headers = {"Content-Type": "application/json"}
    answer = await api.public.post(path, content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "content-too-large")
    assert sent <= 66 * 1024


async def test_unknown_routes_and_methods_are_problems(api: Api) -> None:
    missing = await api.http.get("/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    assert missing.json()["detail"] == "Not Found: GET /api/v1/nothing"
    wrong = await api.http.put("/streams", json={})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method-not-allowed")
    assert wrong.headers["allow"]


async def test_a_store_that_is_down_is_503(api: Api) -> None:
    api.store.failing = StoreUnavailable("the store does not answer; try again later")
    for path in ("/streams/a", "/watch/a"):
        answer = await api.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
        assert answer.json()["detail"] == "the store does not answer; try again later"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("secret"), 500, "internal"),
        (MediaError("odd bytes"), 500, "media"),
        (HTTPException(410, "gone for good", {"X-Kept": "yes"}), 410, "gone"),
    ],
)
async def test_any_error_of_the_application_is_a_problem(
    api: Api, error: Exception, status: int, code: str
) -> None:
    @api.app.get("/fail")
    async def fail() -> None:
        raise error

    answer = await api.public.get("http://origin/fail")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert (status == 410) == ("x-kept" in answer.headers)
