"""The REST API under ``/api/v1``: for the CLI, the dashboard and any program with an API token."""

from fastapi import APIRouter, Depends, FastAPI

from origin.api.access import access_router
from origin.api.api_tokens import api_tokens_router
from origin.api.audit import audit_router
from origin.api.bans import bans_router
from origin.api.cmcd import METHODS, PATH
from origin.api.events import events_router
from origin.api.guard import token_guard
from origin.api.hooks import hooks_router
from origin.api.keeping import keeping_router
from origin.api.live import live_router
from origin.api.openapi import install_openapi, operation_id
from origin.api.playback import checks_router, tokens_router
from origin.api.problems import install_problem_handlers
from origin.api.qoe import qoe_router
from origin.api.server_events import ServerEvents
from origin.api.server_stream import events_of_server, server_events_router
from origin.api.service import service_router
from origin.api.services import ApiServices
from origin.api.stream_keys import stream_keys_router
from origin.api.streams import streams_router
from origin.api.watch import watch_router

__all__ = ["ApiServices", "install_api"]


def install_api(app: FastAPI, services: ApiServices) -> ServerEvents:
    """Add the API, its OpenAPI document and its form of errors to ``app``. Returns the server's events, whose
    answers only end when they are closed."""
    install_problem_handlers(app)
    # Not one of FastAPI's routes, which cost more: strangers may send floods of reports.
    app.add_route(PATH, services.reports.answer, methods=list(METHODS), include_in_schema=False)
    install_openapi(app, prefix=services.path_prefix)
    events = events_of_server(services)
    app.include_router(api_router(services, events))
    return events


def api_router(services: ApiServices, events: ServerEvents) -> APIRouter:
    guarded = APIRouter(dependencies=[Depends(token_guard(services.auth, services.audit, services.clock))])
    guarded.include_router(streams_router(services))
    guarded.include_router(stream_keys_router(services))
    guarded.include_router(live_router(services))
    guarded.include_router(bans_router(services))
    guarded.include_router(events_router(services))
    guarded.include_router(qoe_router(services))
    guarded.include_router(keeping_router(services))
    guarded.include_router(tokens_router(services))
    guarded.include_router(api_tokens_router(services))
    guarded.include_router(audit_router(services))
    guarded.include_router(hooks_router(services))
    guarded.include_router(access_router())
    guarded.include_router(service_router(services))
    guarded.include_router(server_events_router(services, events))

    router = APIRouter(prefix="/api/v1", generate_unique_id_function=operation_id)
    router.include_router(guarded)
    router.include_router(watch_router(services))
    router.include_router(checks_router(services))
    return router
