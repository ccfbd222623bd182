"""The routes that need an API token. Each declares its scope and the name of its change::

    @router.post("/kill", summary="End a live broadcast at once")
    @needs(Scope.OPERATE, "kill")
    async def kill(stream: str) -> Killed: ...

A route without a declaration raises TypeError when the server starts.
"""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer

from media.errors import HeadwaterError
from origin.api.auth import Authenticator
from origin.api.bounded import BoundedRoute
from origin.api.known_problems import OF_TOKENS, KnownProblem, responses, scope_missing
from origin.api.operation import Operation, operation_of
from storage.audit import AuditLog
from storage.catalogue.scopes import Scope

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_bearer = HTTPBearer(scheme_name="token", auto_error=False, description="An API token with the scope in `x-scope`.")


@dataclass(frozen=True, slots=True)
class Access:
    """``action`` is the name of the change in the audit log; None if the route only reads."""

    scope: Scope
    action: str | None


_declared: WeakKeyDictionary[Callable[..., Any], Access] = WeakKeyDictionary()


def needs(scope: Scope, action: str | None = None) -> Callable[[Endpoint], Endpoint]:
    """Declare what a request for the endpoint needs."""

    def declare(endpoint: Endpoint) -> Endpoint:
        _declared[endpoint] = Access(scope, action)
        return endpoint

    return declare


class GuardedRoute(BoundedRoute):
    """Raises TypeError for an endpoint without ``needs``, and for a change without an action."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if endpoint not in _declared:
            raise TypeError(f"{path}: declare the scope of {endpoint.__name__} with @needs")
        self.access = _declared[endpoint]
        if self.access.action is None and not set(options.get("methods") or ()) <= {"GET"}:
            raise TypeError(f"{path}: name the change of {endpoint.__name__} for the audit log")
        options["responses"] = responses(*_refusals(self.access.scope)) | (options.get("responses") or {})
        options["openapi_extra"] = {"x-scope": self.access.scope.value} | (options.get("openapi_extra") or {})
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_audited(request: Request) -> Response:
            try:
                response = await handle(request)
            except RequestValidationError:
                raise
            except BaseException as error:
                _end(request, error.code if isinstance(error, HeadwaterError) else "internal")
                raise
            _end(request, "done")
            return response

        return handle_audited


def token_guard(auth: Authenticator, audit: AuditLog, clock: Callable[[], float]) -> Callable[..., Awaitable[None]]:
    """A dependency of every :class:`GuardedRoute`: it admits only requests whose token has the route's scope, and
    keeps their answers out of caches."""

    async def require_token(request: Request, response: Response, _: object = Depends(_bearer)) -> None:
        access = request.scope["route"].access
        caller = await auth.authorize(request, access.scope)
        stream = request.path_params.get("stream")
        request.state.operation = Operation(caller, access.action, stream, audit, clock)
        response.headers["Cache-Control"] = "no-store"

    return require_token


def _refusals(scope: Scope) -> tuple[KnownProblem, ...]:
    """The lowest scope is never missing."""
    return (*OF_TOKENS, scope_missing(scope)) if scope is not Scope.READ else OF_TOKENS


def _end(request: Request, result: str) -> None:
    operation = operation_of(request)
    if operation is not None:
        operation.end(result)
