"""A limit on the size of a request, whose body is read before its token is checked."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

MAX_BODY_BYTES = 64 * 1024


class BoundedRoute(APIRoute):
    """A route that answers 413 to a body of more than ``MAX_BODY_BYTES``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            return await handle(Request(request.scope, _bounded(request.receive)))

        return handle_bounded


def _bounded(receive: Receive) -> Receive:
    left = MAX_BODY_BYTES

    async def receive_bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"a request's body is at most {MAX_BODY_BYTES} bytes")
        return message

    return receive_bounded
