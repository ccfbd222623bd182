"""Errors as problem details (RFC 9457), each with a stable ``code``."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from cluster.errors import ClusterUnavailable, OwnerTimeout
from media.errors import HeadwaterError
from origin.api.errors import ApiError
from origin.methods import allow, methods_of, options_answer
from storage.catalogue import BadStreamName
from storage.catalogue.api_tokens import BadTokenName
from storage.catalogue.key_ring import BadKey
from storage.catalogue.ladder import TAGS
from storage.hooks.registry import HookDisabled, TooManyHooks
from storage.interface import ObjectNotFound, PreconditionFailed, StoreUnavailable
from storage.keeping import KeepingError

log = structlog.get_logger("api")

MEDIA_TYPE = "application/problem+json"

# RFC 9110's phrases for statuses whose phrases differ between Python versions.
PHRASES = {413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}

# The statuses of other packages' errors and their subclasses. Any other error is a 500.
STATUSES: tuple[tuple[type[HeadwaterError], int], ...] = (
    (BadStreamName, 422),
    (BadTokenName, 422),
    (BadKey, 422),
    (HookDisabled, 409),
    (TooManyHooks, 409),
    (OwnerTimeout, 504),
    (ClusterUnavailable, 503),
    (ObjectNotFound, 404),
    (PreconditionFailed, 409),
    (KeepingError, 409),
    (StoreUnavailable, 503),
)


class Problem(BaseModel):
    """A problem (RFC 9457): ``code`` is for programs, ``detail`` is for people."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(examples=["urn:headwater:problem:not-live"])
    title: str = Field(examples=["Conflict"], description="the HTTP status in words")
    status: int = Field(examples=[409])
    detail: str = Field(examples=["studio-a is not live: there is nothing to end"])
    code: str = Field(examples=["not-live"], description="stable; lower case with dashes")
    errors: list[dict[str, str]] | None = Field(
        default=None,
        examples=[[{"pointer": "#/ban_s", "detail": "has to be greater than or equal to 0"}]],
        description="one for each field of the request that is refused",
    )


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    body = make_problem(status, code, detail, errors)
    # Without no-store, a cache could choose how long to keep a 404 (RFC 9111, 4.2.2).
    return ProblemResponse(
        body.model_dump(exclude_none=True),
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem; declared errors have their own code."""
    app.add_exception_handler(HeadwaterError, _declared)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


def make_problem(status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> Problem:
    return Problem(
        type=f"urn:headwater:problem:{code}",
        title=phrase(status),
        status=status,
        detail=detail,
        code=code,
        errors=errors,
    )


async def _declared(request: Request, error: Exception) -> Response:
    assert isinstance(error, HeadwaterError)
    status = status_of(type(error))
    if status >= 500:
        log.warning("request failed", path=request.url.path, code=error.code, error=str(error))
    headers = error.headers if isinstance(error, ApiError) else None
    return problem(status, error.code, str(error), headers=headers)


def status_of(error: type[HeadwaterError]) -> int:
    if issubclass(error, ApiError):
        return error.status
    return next((status for kind, status in STATUSES if issubclass(error, kind)), 500)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    if error.status_code == 405:
        return _unsupported_method(request)
    words = phrase(error.status_code)
    detail = (
        error.detail
        if error.detail != HTTPStatus(error.status_code).phrase
        else f"{words}: {request.method} {request.url.path}"
    )
    return problem(error.status_code, words.lower().replace(" ", "-"), detail, headers=error.headers)


def _unsupported_method(request: Request) -> Response:
    """The router knows only the methods of the first route that has the path."""
    methods = methods_of(request.app.routes, request.scope)
    if request.method == "OPTIONS":
        return options_answer(methods)
    detail = f"{request.url.path} has no {request.method}: use {' or '.join(methods)}"
    return problem(405, "method-not-allowed", detail, headers={"Allow": allow(methods)})


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"pointer": "/".join(["#", *_fields(details["loc"])]), "detail": _words(details)}
        for details in error.errors()
    ]
    detail = "; ".join(f"{fault['pointer'][2:] or 'the body'} {fault['detail']}" for fault in errors)
    return problem(422, "invalid-request", detail, errors=errors)


def _fields(location: tuple[str | int, ...]) -> list[str]:
    """pydantic's location without its first part, which is the body or the path."""
    parts = [str(part) for part in location]
    return [
        part for index, part in enumerate(parts) if index and not (part in TAGS and parts[index - 1] == "ladder")
    ]


def phrase(status: int) -> str:
    return PHRASES.get(status) or HTTPStatus(status).phrase


def _words(details: Mapping[str, Any]) -> str:
    match details["type"]:
        case "extra_forbidden":
            return "is not a field of this request"
        case "missing":
            return "is missing"
        case "json_invalid":
            return "is not JSON"
        case "value_error":
            return str(details["ctx"]["error"])
        case _:
            return str(details["msg"]).replace("Input should", "has to")


async def _unexpected(request: Request, error: Exception) -> Response:
    return problem(500, "internal", "this is a fault in Headwater; its log has the details")
