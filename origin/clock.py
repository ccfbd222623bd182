"""The clocks that players synchronise with (ISO/IEC 23009-1, 5.8.4.11, urn:mpeg:dash:utc:http-xsdate:2014)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse


def clock_router(offset_ms: Callable[[str, str], int]) -> APIRouter:
    """``offset_ms`` returns a broadcast's clock minus the server's, for its stream and id."""
    router = APIRouter(include_in_schema=False)
    headers = {"Cache-Control": "no-store"}

    @router.get("/time")
    async def time() -> PlainTextResponse:
        """The server's clock."""
        return PlainTextResponse(_utc(0), headers=headers)

    @router.get("/time/{stream}/{broadcast}")
    async def broadcast_time(stream: str, broadcast: str) -> PlainTextResponse:
        """The broadcast's clock, which follows its media; the server's if the broadcast is not on air."""
        return PlainTextResponse(_utc(offset_ms(stream, broadcast)), headers=headers)

    return router


def _utc(offset_ms: int) -> str:
    now = datetime.now(UTC) + timedelta(milliseconds=offset_ms)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
