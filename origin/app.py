"""The origin as one ASGI application: media, pages, API, metrics and health."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse

from origin.answers import ANY_ORIGIN, EXPOSED, LiveMedia
from origin.api import ApiServices, api_router, install_problem_handlers
from origin.delivery import Delivery
from origin.pages import pages_router
from origin.playback import PlaybackGate


@dataclass(frozen=True, slots=True)
class OriginServices:
    """The origin's parts and options. ``not_ready`` returns why the server cannot serve, or None if it can."""

    api: ApiServices
    delivery: Delivery
    gate: PlaybackGate
    on_served: Callable[[str, int, int], None]
    metrics: Callable[[], tuple[bytes, str]]
    not_ready: Callable[[], Awaitable[str | None]]
    cors_origins: tuple[str, ...]
    frame_ancestors: str
    version: str


def create_app(services: OriginServices) -> FastAPI:
    app = FastAPI(
        title="Headwater",
        version=services.version,
        summary="Live video from RTMP to HLS and DASH",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    any_origin = "*" in services.cors_origins
    app.add_middleware(
        LiveMedia,
        delivery=services.delivery,
        gate=services.gate,
        on_served=services.on_served,
        any_origin=any_origin,
    )
    if not any_origin:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(services.cors_origins),
            allow_methods=["GET", "HEAD", "OPTIONS"],
            allow_headers=["Range"],
            expose_headers=list(EXPOSED),
            max_age=86400,
        )
    install_problem_handlers(app)
    app.include_router(api_router(services.api))
    app.include_router(health_router(services))
    app.include_router(clock_router(ANY_ORIGIN if any_origin else {}))
    app.include_router(pages_router(frame_ancestors=services.frame_ancestors))
    return app


def health_router(services: OriginServices) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        reason = await services.not_ready()
        status = 200 if reason is None else 503
        return JSONResponse(
            {"ready": reason is None, "reason": reason}, status_code=status, headers={"Cache-Control": "no-store"}
        )

    @router.get("/metrics")
    async def metrics() -> Response:
        body, media_type = services.metrics()
        return Response(body, media_type=media_type, headers={"Cache-Control": "no-store"})

    return router


def clock_router(cors: Mapping[str, str]) -> APIRouter:
    """``cors`` are headers that let players in other origins' pages read the clock."""
    router = APIRouter(include_in_schema=False)

    @router.get("/time")
    async def time() -> PlainTextResponse:
        """The server's clock (ISO/IEC 23009-1, 5.8.4.11, urn:mpeg:dash:utc:http-iso:2014)."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return PlainTextResponse(now, headers={**cors, "Cache-Control": "no-store"})

    return router
