"""The server's clock, which players read to synchronize with the live edge."""

from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from origin.app import clock_router


@pytest.mark.parametrize("cors", [{"Access-Control-Allow-Origin": "*"}, {}])
async def test_players_in_other_origins_may_read_the_clock_if_allowed(cors: dict[str, str]) -> None:
    app = FastAPI()
    app.include_router(clock_router(cors))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://origin") as client:
        answer = await client.get("/time")
    assert answer.headers.get("access-control-allow-origin") == cors.get("Access-Control-Allow-Origin")
    assert answer.headers["cache-control"] == "no-store"
    assert abs((datetime.now(UTC) - datetime.fromisoformat(answer.text.strip())).total_seconds()) < 60
