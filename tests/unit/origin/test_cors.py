"""Pages of other origins: what their players may fetch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from origin.cors import ALLOWED_ORIGINS, EXPOSED, PlayerCors

PAGE = "https://page.example"
PLAYER_PATHS = ["/live/a/master.m3u8", "/time", "/time/a/b", "/api/v1/watch/a"]


@asynccontextmanager
async def browser(*origins: str) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.get("/{path:path}")
    async def answer(path: str) -> str:
        return path

    app.add_middleware(PlayerCors, origins=origins)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://origin") as client:
        yield client


@pytest.mark.parametrize("path", PLAYER_PATHS)
@pytest.mark.parametrize("headers", [{"Origin": PAGE}, {}])
async def test_every_answer_to_a_player_may_be_read_by_every_page(path: str, headers: dict[str, str]) -> None:
    async with browser("*") as client:
        answer = await client.get(path, headers=headers)
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert "vary" not in answer.headers
    assert answer.headers["access-control-expose-headers"] == ", ".join(EXPOSED)


@pytest.mark.parametrize("path", PLAYER_PATHS)
async def test_a_player_may_ask_for_ranges(path: str) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    async with browser("*") as client:
        answer = await client.options(path, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "GET" in answer.headers["access-control-allow-methods"]
    assert "Range" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("fields", ["content-type", "cmcd-object,cmcd-request,cmcd-session,cmcd-status"])
async def test_a_player_may_send_reports(fields: str) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": fields,
    }
    async with browser("*") as client:
        answer = await client.options("/api/v1/cmcd", headers=asked)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
        assert (await client.options("/api/v1/cmcd/x", headers=asked)).status_code == 405
        assert (await client.options("/live/a/master.m3u8", headers=asked)).status_code == 400
    async with browser("https://b.example") as client:
        assert (await client.options("/api/v1/cmcd", headers=asked)).status_code == 400


@pytest.mark.parametrize("path", PLAYER_PATHS)
async def test_a_player_may_send_reports_with_requests_for_media(path: str) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "cmcd-object,cmcd-request,cmcd-session,cmcd-status,range",
    }
    async with browser("*") as client:
        assert (await client.options(path, headers=asked)).status_code == 200


@pytest.mark.parametrize(("page", "allowed"), [(PAGE, PAGE), ("https://other.example", None)])
async def test_listed_pages_alone_may_read_the_answers(page: str, allowed: str | None) -> None:
    async with browser(PAGE) as client:
        for path in PLAYER_PATHS:
            answer = await client.get(path, headers={"Origin": page})
            assert answer.headers.get("access-control-allow-origin") == allowed


async def test_without_an_origin_the_answer_names_the_listed_ones_for_caches() -> None:
    async with browser(PAGE, "https://b.example") as client:
        for path in PLAYER_PATHS:
            answer = await client.get(path)
            assert answer.headers[ALLOWED_ORIGINS] == f"{PAGE} https://b.example"
            assert answer.headers["access-control-expose-headers"] == ", ".join(EXPOSED)
            assert answer.headers["vary"] == "Origin"
            assert ALLOWED_ORIGINS not in (await client.get(path, headers={"Origin": PAGE})).headers
    async with browser("*") as client:
        assert ALLOWED_ORIGINS not in (await client.get("/time")).headers


@pytest.mark.parametrize("path", ["/", "/api/v1/streams", "/readyz", "/metrics"])
async def test_no_other_page_may_read_the_rest(path: str) -> None:
    async with browser("*") as client:
        answer = await client.get(path, headers={"Origin": PAGE})
    assert "access-control-allow-origin" not in answer.headers
