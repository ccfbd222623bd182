"""The keys of a stream: list, create, rotate, revoke. All need an API token."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StrictStr

from live.status import Answer, Frozen, WarningStatus
from media.promises import NOT_NEGATIVE, STREAM, URL
from media.roles import Role
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import (
    BAD_KEY,
    KEY_EXISTS,
    KEY_NOT_FOUND,
    OF_BODIES,
    OF_OWNERS,
    STREAM_NOT_FOUND,
    TOO_MANY_KEYS,
    responses,
)
from origin.api.live import disconnect_key
from origin.api.models import Network, StrictFloat
from origin.api.operation import CurrentOperation
from origin.api.parameters import KeyName, StreamName
from origin.api.services import ApiServices
from storage.catalogue.named_keys import EXPIRES_SOON_S, MAX_NETWORKS, NamedKey
from storage.catalogue.records import KeyRecord, StreamRecord
from storage.catalogue.scopes import Scope

EXPIRES_SOON = "key-expires"
# The end of the year 9999.
LATEST = 253_402_300_799

Moment = Annotated[StrictFloat, Field(ge=0, le=LATEST, allow_inf_nan=False)]


class NewKey(Frozen):
    name: StrictStr = Field(
        examples=["guest"],
        description="lower-case letters, digits and inner hyphens, at most 63",
        json_schema_extra=STREAM,
    )
    role: Role = Field(
        default=Role.PRIMARY, examples=["primary"], description="`backup`: for a second encoder at the same time"
    )
    expires_at: Moment | None = Field(
        default=None, examples=[4_102_444_800], description="seconds since the Unix epoch; null: never"
    )
    addresses: tuple[Network, ...] = Field(
        default=(),
        max_length=MAX_NETWORKS,
        examples=[["203.0.113.0/24", "2001:db8::/64"]],
        description="the only addresses and networks that may use it; empty: all",
    )


class KeyRotation(Frozen):
    expires_at: Moment | None = Field(
        default=None, examples=[4_102_444_800], description="of the new key; null: that of the old one"
    )


class KeyView(Answer):
    name: str = Field(examples=["guest"], json_schema_extra=STREAM)
    role: Role = Field(examples=["primary"])
    created_at: float | None = Field(
        examples=[1795257665.0],
        description="seconds since the Unix epoch; null if unknown",
        json_schema_extra=NOT_NEGATIVE,
    )
    expires_at: float | None = Field(
        examples=[1797849665.0], description="null: never", json_schema_extra=NOT_NEGATIVE
    )
    addresses: tuple[str, ...] = Field(examples=[["203.0.113.0/24"]], description="empty: all")
    last_used_at: float | None = Field(
        default=None,
        examples=[1795261265.0],
        description="when a publisher last came with it, to the minute; null: never",
        json_schema_extra=NOT_NEGATIVE,
    )
    last_used_from: str | None = Field(default=None, examples=["203.0.113.7"])


class CreatedKey(KeyView):
    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    server: str = Field(examples=["rtmp://media.example.org:1935/live"], json_schema_extra=URL)
    key: str = Field(examples=["k7f2-9wq3-m4xt-c8np-2hvr-6bzd"], description="shown only once")
    watch: str = Field(examples=["http://media.example.org:8080/watch/studio-a"], json_schema_extra=URL)


def key_warnings(record: StreamRecord, now: float) -> tuple[WarningStatus, ...]:
    """A warning for each key that expires soon."""
    return tuple(
        WarningStatus(
            code=EXPIRES_SOON,
            text=f"the stream key {key.name} expires in {_days(key.expires_at - now)}: "
            f"`headwater keys rotate {record.stream} {key.name} --expires 30d` makes a new one",
            since_s=round(now - max(key.expires_at - EXPIRES_SOON_S, key.created_at or 0), 1),
        )
        for key in record.keys
        if key.expires_at is not None and key.expires_soon(now)
    )


def stream_keys_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams/{stream}/keys", tags=["streams"], route_class=GuardedRoute)
    keys = services.catalogue.keys

    def created(stream: str, key: NamedKey, text: str) -> CreatedKey:
        if key.name == Role.PRIMARY:
            services.on_key(stream, text)
        watch = services.watch_url(stream)
        return CreatedKey(**_fields(key, None), stream=stream, server=services.rtmp_url, key=text, watch=watch)

    @router.get("", summary="A stream's keys, without the keys themselves", responses=responses(STREAM_NOT_FOUND))
    @needs(Scope.READ)
    async def list_keys(stream: StreamName) -> list[KeyView]:
        record = await services.catalogue.get_stream(stream)
        uses = await keys.uses(record)
        return [KeyView(**_fields(key, uses.get(key.name))) for key in record.keys]

    @router.post(
        "",
        status_code=201,
        summary="Create a key with a name",
        responses=responses(STREAM_NOT_FOUND, KEY_EXISTS, TOO_MANY_KEYS, BAD_KEY, *OF_BODIES),
    )
    @needs(Scope.ADMIN, "stream-key-create")
    async def create_key(stream: StreamName, new: NewKey, operation: CurrentOperation) -> CreatedKey:
        operation.note(name=new.name[:80], expires_at=new.expires_at, addresses=list(new.addresses))
        key, text = await keys.create(
            stream,
            new.name,
            now=services.clock(),
            role=new.role,
            expires_at=new.expires_at,
            networks=new.addresses,
        )
        operation.note(role=key.role)
        return created(stream, key, text)

    @router.post(
        "/{name}/rotate",
        summary="Replace a key by a new one; who is on air with the old one stays",
        responses=responses(STREAM_NOT_FOUND, KEY_NOT_FOUND, BAD_KEY, *OF_BODIES),
    )
    @needs(Scope.ADMIN, "stream-key-rotate")
    async def rotate_named_key(
        stream: StreamName, name: KeyName, operation: CurrentOperation, rotation: KeyRotation | None = None
    ) -> CreatedKey:
        expires_at = None if rotation is None else rotation.expires_at
        operation.note(name=name[:80], expires_at=expires_at)
        key, text = await keys.rotate(stream, name, now=services.clock(), expires_at=expires_at)
        return created(stream, key, text)

    @router.delete(
        "/{name}",
        status_code=204,
        summary="Revoke a key, and disconnect the publisher that uses it",
        responses=responses(STREAM_NOT_FOUND, KEY_NOT_FOUND, *OF_OWNERS),
    )
    @needs(Scope.ADMIN, "stream-key-revoke")
    async def revoke_key(stream: StreamName, name: KeyName, operation: CurrentOperation) -> None:
        operation.note(name=name[:80])
        # Revoke before disconnecting: a disconnected broadcaster returns within a second.
        key = await keys.revoke(stream, name)
        if key.name == Role.PRIMARY:
            services.on_key(stream, None)
        await disconnect_key(services, stream, key.key_hash, f"the stream key {key.name} was revoked")

    return router


def _fields(key: NamedKey, use: KeyRecord | None) -> dict[str, Any]:
    return {
        "name": key.name,
        "role": key.role,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "addresses": key.networks,
        "last_used_at": use and use.last_used_at,
        "last_used_from": use and use.last_used_from,
    }


def _days(seconds: float) -> str:
    if seconds < 2 * 86_400:
        return f"{max(1, round(seconds / 3600))} h"
    return f"{round(seconds / 86_400)} days"
