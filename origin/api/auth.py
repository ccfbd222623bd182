"""The operator's bearer token (RFC 6750)."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from origin.api.errors import Unauthorized

_bearer = HTTPBearer(auto_error=False, description="The token in the file `api-token` of the data directory.")


def token_guard(token: str) -> Callable[..., Awaitable[None]]:
    """A dependency that admits only requests with ``token`` and keeps their answers out of caches."""
    expected = token.encode()

    async def require_token(
        response: Response, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> None:
        if credentials is None:
            raise Unauthorized("this needs the operator's token: Authorization: Bearer TOKEN")
        if not hmac.compare_digest(credentials.credentials.encode(), expected):
            raise Unauthorized("the token is not this server's; it is in the file api-token of its data directory")
        response.headers["Cache-Control"] = "no-store"

    return require_token
