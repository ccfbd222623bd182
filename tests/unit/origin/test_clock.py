"""The clocks of the server and of a broadcast, which players read to synchronise with the live edge."""

from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from origin.clock import clock_router


def offset_ms(stream: str, broadcast: str) -> int:
    return -86_400_000 if (stream, broadcast) == ("late", "b1") else 0


async def read(path: str) -> httpx.Response:
    app = FastAPI()
    app.include_router(clock_router(offset_ms))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://origin") as client:
        return await client.get(path)


@pytest.mark.parametrize(("path", "late_s"), [("/time", 0), ("/time/late/b1", 86_400), ("/time/other/b2", 0)])
async def test_the_clock_is_that_of_the_broadcast(path: str, late_s: int) -> None:
    answer = await read(path)
    assert answer.headers["cache-control"] == "no-store"
    late = datetime.now(UTC) - datetime.fromisoformat(answer.text.strip())
    assert abs(late.total_seconds() - late_s) < 60
