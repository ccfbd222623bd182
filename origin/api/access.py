"""What the sender of a request may do, and which server answers."""

from fastapi import APIRouter, Request
from pydantic import Field

from live.status import Answer
from media.promises import NOT_NEGATIVE
from origin.api.guard import GuardedRoute, needs
from origin.api.models import Version
from origin.api.operation import CurrentOperation
from storage.catalogue.scopes import Scope


class AccessView(Answer):
    """The token that the request has."""

    name: str = Field(examples=["backup"], description="`api-token` is the one in the data directory")
    id: str = Field(examples=["9f86d081"])
    scope: Scope = Field(examples=["read"])
    expires_at: float | None = Field(
        examples=[1797763265.0],
        description="seconds since the Unix epoch; null: never",
        json_schema_extra=NOT_NEGATIVE,
    )


def access_router() -> APIRouter:
    router = APIRouter(tags=["server"], route_class=GuardedRoute)

    @router.get("/access", summary="What the token of this request allows")
    @needs(Scope.READ)
    async def get_access(operation: CurrentOperation) -> AccessView:
        token = operation.caller.token
        return AccessView(name=token.name, id=token.id, scope=token.scope, expires_at=operation.caller.expires_at)

    @router.get("/version", summary="Which Headwater this is")
    @needs(Scope.READ)
    async def get_version(request: Request) -> Version:
        return Version(version=str(request.app.version))

    return router
