"""The REST API under ``/api/v1``: for the CLI, the dashboard and any program with the operator's token."""

from fastapi import APIRouter, Depends, Request

from origin.api.auth import token_guard
from origin.api.live import live_router
from origin.api.models import Version
from origin.api.playback import checks_router, tokens_router
from origin.api.problems import documented, install_problem_handlers
from origin.api.services import ApiServices
from origin.api.streams import streams_router
from origin.api.watch import watch_router

__all__ = ["ApiServices", "api_router", "install_problem_handlers"]


def api_router(services: ApiServices) -> APIRouter:
    guarded = APIRouter(
        dependencies=[Depends(token_guard(services.token))],
        responses=documented(401, "unauthorized", "this needs the operator's token: Authorization: Bearer TOKEN"),
    )
    guarded.include_router(streams_router(services))
    guarded.include_router(live_router(services))
    guarded.include_router(tokens_router(services))

    @guarded.get("/version", tags=["server"], summary="Which Headwater this is")
    async def get_version(request: Request) -> Version:
        return Version(version=str(request.app.version))

    router = APIRouter(
        prefix="/api/v1",
        responses={
            **documented(422, "invalid-request", "ban_s has to be greater than or equal to 0"),
            **documented(503, "store-unavailable", "the store does not answer; try again later"),
        },
    )
    router.include_router(guarded)
    router.include_router(watch_router(services))
    router.include_router(checks_router(services))
    return router
