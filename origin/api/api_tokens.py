"""API tokens: create, list, revoke. All need a token with the scope admin."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StrictStr

from live.status import Answer, Frozen
from media.promises import NOT_NEGATIVE, STREAM
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import API_TOKEN_EXISTS, API_TOKEN_NOT_FOUND, BAD_TOKEN_NAME, OF_BODIES, responses
from origin.api.operation import CurrentOperation
from origin.api.parameters import TokenName
from origin.api.services import ApiServices
from storage.catalogue.api_tokens import FILE_TOKEN, ApiTokenRecord
from storage.catalogue.numbers import WHOLE
from storage.catalogue.scopes import Scope

LONGEST_S = 10 * 366 * 86_400


class NewApiToken(Frozen):
    name: StrictStr = Field(
        examples=["backup"],
        description="lower-case letters, digits and inner hyphens, at most 63",
        json_schema_extra={**STREAM, "not": {"const": FILE_TOKEN}},
    )
    scope: Scope = Field(examples=["read"], description="each includes those before it")
    for_s: Annotated[int, Field(strict=True, ge=1, le=LONGEST_S), WHOLE] | None = Field(
        default=None, examples=[2_592_000], description="its validity in seconds; null is unlimited"
    )


class ApiTokenView(Answer):
    name: str = Field(examples=["backup"], json_schema_extra=STREAM)
    id: str = Field(examples=["9f86d081"], description="differs between tokens that had the same name")
    scope: Scope = Field(examples=["read"])
    created_at: float = Field(
        examples=[1795257665.0], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    expires_at: float | None = Field(
        examples=[1797849665.0], description="null: never", json_schema_extra=NOT_NEGATIVE
    )
    last_used_at: float | None = Field(
        examples=[1795261265.0], description="to the hour; null: never", json_schema_extra=NOT_NEGATIVE
    )


class CreatedApiToken(ApiTokenView):
    token: str = Field(
        examples=["hw_backup_2sXk9fQ0aLrT7wYcB4mZ8nVdE1uJ6hPgKoRi3tAxWqC"], description="shown only once"
    )


def api_tokens_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/api-tokens", tags=["api tokens"], route_class=GuardedRoute)
    tokens = services.auth.tokens

    @router.get("", summary="Every API token, without the token in the data directory")
    @needs(Scope.ADMIN)
    async def list_api_tokens() -> list[ApiTokenView]:
        return [ApiTokenView(**_fields(record)) for record in await tokens.list()]

    @router.post(
        "",
        status_code=201,
        summary="Create an API token",
        responses=responses(API_TOKEN_EXISTS, BAD_TOKEN_NAME, *OF_BODIES),
    )
    @needs(Scope.ADMIN, "api-token-create")
    async def create_api_token(new: NewApiToken, operation: CurrentOperation) -> CreatedApiToken:
        now = services.clock()
        expires_at = None if new.for_s is None else now + new.for_s
        operation.note(name=new.name[:80], scope=new.scope, expires_at=expires_at)
        record, token = await tokens.create(new.name, new.scope, now=now, expires_at=expires_at)
        operation.note(id=record.id)
        return CreatedApiToken(**_fields(record), token=token)

    @router.delete(
        "/{name}",
        status_code=204,
        summary="Revoke an API token",
        responses=responses(API_TOKEN_NOT_FOUND),
    )
    @needs(Scope.ADMIN, "api-token-revoke")
    async def revoke_api_token(name: TokenName, operation: CurrentOperation) -> None:
        operation.note(name=name[:80])
        record = await tokens.revoke(name)
        operation.note(id=record.id, scope=record.scope)

    return router


def _fields(record: ApiTokenRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ApiTokenView.model_fields}
