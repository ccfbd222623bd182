"""The origin as one ASGI application: media, pages, API, metrics and health."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from origin.answers import LiveMedia
from origin.api import ApiServices, install_api
from origin.clock import clock_router
from origin.cors import PlayerCors
from origin.delivery import Delivery
from origin.kinds import CountedRoutes
from origin.pages import pages_router
from origin.playback import PlaybackGate
from origin.prefix import PathPrefix
from storage.catalogue.scopes import Scope


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
    """``app.state.close()`` ends the answers that have no end of their own, so that the server can stop."""
    app = FastAPI(
        title="Headwater",
        version=services.version,
        summary="Live video from RTMP to HLS and DASH",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        # FastAPI's own spans and log records would have paths and queries, which contain tokens.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        # The document has the path of public_url as its server.
        root_path_in_servers=False,
        # Starlette redirects to an absolute URL, whose host is whatever the client sent.
        redirect_slashes=False,
    )
    app.add_middleware(CountedRoutes, on_served=services.on_served)
    app.add_middleware(
        LiveMedia,
        delivery=services.delivery,
        gate=services.gate,
        on_served=services.on_served,
    )
    app.add_middleware(PlayerCors, origins=services.cors_origins)
    _add_health(app, services)
    app.state.close = install_api(app, services.api).close
    app.include_router(clock_router(services.delivery.clock_offset_ms))
    prefix = services.api.path_prefix
    app.include_router(pages_router(frame_ancestors=services.frame_ancestors, prefix=prefix))
    if prefix:
        # Added last, so that it comes before all others.
        app.add_middleware(PathPrefix, prefix=prefix)
    return app


def _add_health(app: FastAPI, services: OriginServices) -> None:
    """First, and without FastAPI's routes, which cost more: a flood of these requests delays all others."""

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    async def readyz(request: Request) -> Response:
        reason = await services.not_ready()
        draining = services.api.drain.state is not None
        ready = reason is None and not draining
        body: dict[str, bool | str | list[str] | None] = {"ready": ready, "draining": draining}
        # They may name the bucket and its server, and directories.
        if await services.api.auth.admits(request, Scope.READ):
            body |= {"reason": reason, "warnings": list(services.api.warnings())}
        return JSONResponse(body, status_code=200 if ready else 503, headers={"Cache-Control": "no-store"})

    async def metrics(request: Request) -> Response:
        body, media_type = services.metrics()
        return Response(body, media_type=media_type, headers={"Cache-Control": "no-store"})

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        app.add_route(path, endpoint, include_in_schema=False)
