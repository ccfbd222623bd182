"""The OpenAPI document (3.1) of the REST API."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from origin.api.known_problems import PROBLEM_REF
from origin.api.problems import Problem

DESCRIPTION = """\
Everything that the command line and the dashboard do. Requests need an API token, except those of viewers' pages
and caches. `x-scope` names the scope that the token needs: `read`, `operate` or `admin`. Each includes those before
it.

Every error is a problem document (RFC 9457): its `code` is for programs and stable, its `detail` is for people.
Times are seconds since the Unix epoch. Later versions may add fields to answers, but never rename or remove one.
"""
TAGS = (
    {"name": "streams", "description": "Streams, their settings and their keys"},
    {"name": "live", "description": "Broadcasts on air, and past ones"},
    {"name": "recordings", "description": "Keeping and deleting recordings, and what they occupy"},
    {"name": "playback", "description": "Access to private streams"},
    {"name": "watch", "description": "What a page needs to play a stream; for everyone"},
    {"name": "api tokens", "description": "The tokens of operators and their programs"},
    {"name": "audit", "description": "Who changed what"},
    {"name": "hooks", "description": "What happens on this server, sent to other programs"},
    {"name": "server", "description": "The server itself"},
)


def operation_id(route: APIRoute) -> str:
    """``list_streams`` becomes ``listStreams``."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def install_openapi(app: FastAPI, *, prefix: str) -> None:
    """Let ``app`` describe its API, which clients reach below the path ``prefix``."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=DESCRIPTION,
                routes=app.routes,
                tags=list(TAGS),
                servers=[{"url": prefix or "/"}],
            )
            document["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
            name = PROBLEM_REF.rpartition("/")[2]
            document["components"]["schemas"][name] = Problem.model_json_schema()
            _remove_validation_errors(document)
            _describe_streams(document)
            app.openapi_schema = document
        return app.openapi_schema

    # This is FastAPI's own way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]


def _describe_streams(document: dict[str, Any]) -> None:
    """Describe server-sent events as text: FastAPI uses ``itemSchema``, which OpenAPI has from 3.2 on."""
    for item in document["paths"].values():
        for operation in item.values():
            content = operation["responses"].get("200", {}).get("content", {})
            if "text/event-stream" in content:
                content["text/event-stream"] = {"schema": {"type": "string"}}


def _remove_validation_errors(document: dict[str, Any]) -> None:
    """Remove the 422 that FastAPI adds to routes with parameters: it is not in our form, and does not occur."""
    for item in document["paths"].values():
        for operation in item.values():
            answers = operation["responses"]
            if "application/json" in answers.get("422", {}).get("content", {}):
                del answers["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
