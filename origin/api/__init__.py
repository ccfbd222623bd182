"""The REST API under ``/api/v1``: for the CLI, the dashboard and any program with an API token."""

from collections.abc import Iterator

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

PREFIX = "/api/v1"


def install_api(app: FastAPI, services: ApiServices) -> ServerEvents:
    """Add the API, its OpenAPI document and its form of errors to ``app``. Returns the server's events, whose
    answers only end when they are closed."""
    install_problem_handlers(app)
    # Not one of FastAPI's routes, which cost more: strangers may send floods of reports.
    app.add_route(PATH, services.reports.answer, methods=list(METHODS), include_in_schema=False)
    install_openapi(app, prefix=services.path_prefix)
    events = events_of_server(services)
    guard = Depends(token_guard(services.auth, services.audit, services.clock))
    # Routers within routers make each route again for each of them.
    for router in guarded_routers(services, events):
        app.include_router(router, prefix=PREFIX, dependencies=[guard], generate_unique_id_function=operation_id)
    for router in (watch_router(services), checks_router(services)):
        app.include_router(router, prefix=PREFIX, generate_unique_id_function=operation_id)
    return events


def guarded_routers(services: ApiServices, events: ServerEvents) -> Iterator[APIRouter]:
    """What only requests with an API token reach."""
    yield streams_router(services)
    yield stream_keys_router(services)
    yield live_router(services)
    yield bans_router(services)
    yield events_router(services)
    yield qoe_router(services)
    yield keeping_router(services)
    yield tokens_router(services)
    yield api_tokens_router(services)
    yield audit_router(services)
    yield hooks_router(services)
    yield access_router()
    yield service_router(services)
    yield server_events_router(services, events)
