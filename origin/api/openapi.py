"""The OpenAPI document (3.1) of the REST API."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from origin.api import cmcd
from origin.api.known_problems import (
    CONTENT_TOO_LARGE,
    PROBLEM_REF,
    REPORTS_OFF,
    TOO_MANY_REPORTS,
    KnownProblem,
    responses,
)
from origin.api.problems import Problem
from origin.qoe.cmcd import MAX_REPORT

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
            _describe_reports(document)
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


def _describe_reports(document: dict[str, Any]) -> None:
    """The route of reports is none of FastAPI's."""
    query = {
        "name": cmcd.PARAMETER,
        "in": "query",
        "required": False,
        "description": "one report; also in the header fields CMCD-Object, -Request, -Session and -Status",
        "schema": {
            "type": "string",
            "maxLength": MAX_REPORT,
            "examples": ['cid="studio-a",sid="6e2fb550-c457-11e9-bb97-0800200c9a66",v=2'],
        },
    }
    quiet = {
        "name": "quiet",
        "in": "query",
        "required": False,
        "description": "`1`: the answer is 204 also if the reports are refused, because browsers log errors",
        "schema": {"type": "string", "maxLength": 8, "examples": ["1"]},
    }
    line = 'cid="studio-a",e=ps,sid="6e2fb550-c457-11e9-bb97-0800200c9a66",sta=p,ts=1795257665000,v=2'
    text = {"schema": {"type": "string"}, "example": line}
    operation: dict[str, Any] = {
        "tags": ["watch"],
        "parameters": [query, quiet],
        "responses": {"204": {"description": "the reports were received"}},
    }
    document["paths"][cmcd.PATH] = {
        "get": {
            **operation,
            "summary": "Report how playback is, in the query",
            "description": "Needs no token. CMCD, version 1 or 2.",
            "operationId": "sendReport",
            "responses": {**operation["responses"], **_problems(REPORTS_OFF, TOO_MANY_REPORTS)},
        },
        "post": {
            **operation,
            "summary": "Report how playback is",
            "description": "Needs no token. The body is CMCD in event mode: a report in each line, at most 50. "
            "What cannot be read is left out.",
            "operationId": "sendReports",
            "requestBody": {"required": False, "content": {"application/cmcd": text, "text/plain": text}},
            "responses": {
                **operation["responses"],
                **_problems(REPORTS_OFF, CONTENT_TOO_LARGE, TOO_MANY_REPORTS),
            },
        },
    }


def _problems(*known: KnownProblem) -> dict[str, Any]:
    return {str(status): answer for status, answer in responses(*known).items()}


def _remove_validation_errors(document: dict[str, Any]) -> None:
    """Remove the 422 that FastAPI adds to routes with parameters: it is not in our form, and does not occur."""
    for item in document["paths"].values():
        for operation in item.values():
            answers = operation["responses"]
            if "application/json" in answers.get("422", {}).get("content", {}):
                del answers["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
