"""Webhooks: what happens on this server, sent to other programs. Everything needs a token with the scope admin."""

import re
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, Field, StrictBool, StrictStr

from live.status import Answer, Frozen
from media.promises import NOT_NEGATIVE, STREAM
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import (
    BAD_HOOK_TARGET,
    DELIVERY_NOT_FOUND,
    HOOK_DISABLED,
    HOOK_NOT_FOUND,
    INVALID_REQUEST,
    OF_BODIES,
    TOO_MANY_HOOKS,
    responses,
)
from origin.api.operation import CurrentOperation
from origin.api.services import ApiServices, HookStatus
from storage.catalogue.scopes import Scope
from storage.hooks.event_types import HookEvent
from storage.hooks.log import MAX_ENTRIES, Attempt
from storage.hooks.registry import Hook

MAX_STREAMS = 100
LONGEST_URL = 2048
DISABLED_BY_OPERATOR = "the operator disabled it"
URL = re.compile(
    r"https?://([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
    r'([/?][!-"$-\[\]-~]*)?'
)
HOOK: dict[str, Any] = {"pattern": "^[0-9a-f]{8}$"}

HookId = Annotated[str, Path(description="the hook's id", examples=["9f86d081"], json_schema_extra=HOOK)]
Limit = Annotated[int, Query(ge=1, le=MAX_ENTRIES, description="the most to answer with", examples=[50])]
StreamFilter = Annotated[StrictStr, Field(pattern=STREAM["pattern"], max_length=63)]
EVENTS_TEXT = "the types of events to send; empty is all of them"
STREAMS_TEXT = "the streams whose events are sent; empty is all of them. Events of the server are always sent"


def _written_in_full(url: str) -> str:
    if URL.fullmatch(url) is None:
        raise ValueError("has to be written in full, as https://example.org/hook, without user name or fragment")
    return url


class NewHook(Frozen):
    url: Annotated[StrictStr, AfterValidator(_written_in_full)] = Field(
        max_length=LONGEST_URL,
        examples=["https://example.org/headwater"],
        description="http or https, without a user name; by default, only a public address",
        json_schema_extra={"pattern": f"^{URL.pattern}$"},
    )
    events: tuple[HookEvent, ...] = Field(
        default=(), max_length=len(HookEvent), examples=[["stream.live"]], description=EVENTS_TEXT
    )
    streams: tuple[StreamFilter, ...] = Field(
        default=(), max_length=MAX_STREAMS, examples=[["studio-a"]], description=STREAMS_TEXT
    )


class HookChange(Frozen):
    """Omitted fields stay as they are."""

    enabled: StrictBool = Field(
        default=True, examples=[True], description="a disabled hook receives nothing; what waited is dead"
    )
    events: tuple[HookEvent, ...] = Field(
        default=(), max_length=len(HookEvent), examples=[["stream.live"]], description=EVENTS_TEXT
    )
    streams: tuple[StreamFilter, ...] = Field(
        default=(), max_length=MAX_STREAMS, examples=[["studio-a"]], description=STREAMS_TEXT
    )


class HookView(Answer):
    id: str = Field(examples=["9f86d081"], json_schema_extra=HOOK)
    url: str = Field(examples=["https://example.org/headwater"])
    events: tuple[str, ...] = Field(examples=[["stream.live"]], description=EVENTS_TEXT)
    streams: tuple[str, ...] = Field(examples=[["studio-a"]], description=STREAMS_TEXT)
    created_at: float = Field(
        examples=[1795257665.0], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    disabled_reason: str | None = Field(examples=["the target answered 410 Gone"], description="null: enabled")
    old_secret_until: float | None = Field(
        examples=[1795344065.0],
        description="until when the secret before this one signs too; null: there is none",
        json_schema_extra=NOT_NEGATIVE,
    )


class HookCounts(HookView):
    pending: int = Field(examples=[0], description="messages that wait", json_schema_extra=NOT_NEGATIVE)
    dead: int = Field(examples=[0], description="messages that failed for good", json_schema_extra=NOT_NEGATIVE)


class HookSecret(HookView):
    secret: str = Field(
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="],
        description="checks the signatures; shown only once",
    )


class ReplayRequest(Frozen):
    delivery: StrictStr | None = Field(
        default=None,
        max_length=64,
        examples=["msg_01a1f2c3d4e5_9f86d081a1b2"],
        description="the only message to send again; null: every dead one",
    )


class Replayed(Answer):
    replayed: int = Field(examples=[3], description="messages that are sent again", json_schema_extra=NOT_NEGATIVE)


class DeadMessage(Answer):
    """A message that failed for good."""

    id: str = Field(examples=["msg_01a1f2c3d4e5_9f86d081a1b2"], description="the header `webhook-id`")
    event: str = Field(examples=["stream.live"])
    stream: str | None = Field(examples=["studio-a"], description="null: the server")
    created_at: float = Field(examples=[1795257665.25], json_schema_extra=NOT_NEGATIVE)
    died_at: float | None = Field(examples=[1795344065.25], json_schema_extra=NOT_NEGATIVE)
    attempts: int = Field(examples=[31], json_schema_extra=NOT_NEGATIVE)
    error: str | None = Field(examples=["500 Internal Server Error"], description="of the last attempt")


def hooks_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/hooks", tags=["hooks"], route_class=GuardedRoute)
    hooks = services.hooks

    @router.get("", summary="Every hook, without its secret")
    @needs(Scope.ADMIN)
    async def list_hooks() -> list[HookCounts]:
        return [_counts(status) for status in await hooks.statuses()]

    @router.post(
        "",
        status_code=201,
        summary="Add a hook",
        responses=responses(BAD_HOOK_TARGET, TOO_MANY_HOOKS, *OF_BODIES),
    )
    @needs(Scope.ADMIN, "hook-add")
    async def add_hook(new: NewHook, operation: CurrentOperation) -> HookSecret:
        events, streams = _distinct(new.events), _distinct(new.streams)
        operation.note(target=_shown(new.url), events=list(events), streams=list(streams))
        hook = await hooks.add(new.url, events, streams)
        operation.note(id=hook.id)
        return _secret(hook)

    @router.get("/{hook}", summary="One hook, without its secret", responses=responses(HOOK_NOT_FOUND))
    @needs(Scope.ADMIN)
    async def get_hook(hook: HookId) -> HookCounts:
        return _counts(await hooks.get(hook))

    @router.patch(
        "/{hook}",
        summary="Change a hook, or enable it again",
        responses=responses(HOOK_NOT_FOUND, *OF_BODIES),
    )
    @needs(Scope.ADMIN, "hook-change")
    async def change_hook(hook: HookId, change: HookChange, operation: CurrentOperation) -> HookView:
        changes = change.model_dump(mode="json", exclude_unset=True)
        operation.note(id=hook[:80], **changes)
        enabled = changes.pop("enabled", None)
        update: dict[str, Any] = {name: _distinct(value) for name, value in changes.items()}
        if enabled is not None:
            update["disabled_reason"] = None if enabled else DISABLED_BY_OPERATOR
        changed = await hooks.change(hook, lambda found: found.model_copy(update=update))
        return _view(changed)

    @router.delete(
        "/{hook}", status_code=204, summary="Remove a hook and its messages", responses=responses(HOOK_NOT_FOUND)
    )
    @needs(Scope.ADMIN, "hook-remove")
    async def remove_hook(hook: HookId, operation: CurrentOperation) -> None:
        operation.note(id=hook[:80])
        operation.note(target=_shown((await hooks.remove(hook)).url))

    @router.post(
        "/{hook}/rotate-secret",
        summary="Give a hook a new secret",
        description="The secret before it signs too for a day, so that receivers can change over.",
        responses=responses(HOOK_NOT_FOUND),
    )
    @needs(Scope.ADMIN, "hook-rotate-secret")
    async def rotate_hook_secret(hook: HookId, operation: CurrentOperation) -> HookSecret:
        operation.note(id=hook[:80])
        return _secret(await hooks.rotate_secret(hook))

    @router.post(
        "/{hook}/test",
        summary="Send a test event and answer with the outcome",
        description="Sent once, also if the hook is disabled. `outcome` is `delivered` or `failed`.",
        responses=responses(HOOK_NOT_FOUND),
    )
    @needs(Scope.ADMIN, "hook-test")
    async def test_hook(hook: HookId, operation: CurrentOperation) -> Attempt:
        operation.note(id=hook[:80])
        attempt = await hooks.test(hook)
        operation.note(outcome=attempt.outcome)
        return attempt

    @router.post(
        "/{hook}/replay",
        summary="Send dead messages again",
        responses=responses(HOOK_NOT_FOUND, DELIVERY_NOT_FOUND, HOOK_DISABLED, *OF_BODIES),
    )
    @needs(Scope.ADMIN, "hook-replay")
    async def replay_hook(hook: HookId, request: ReplayRequest, operation: CurrentOperation) -> Replayed:
        operation.note(id=hook[:80], delivery=request.delivery)
        replayed = await hooks.replay(hook, request.delivery)
        operation.note(replayed=replayed)
        return Replayed(replayed=replayed)

    @router.get(
        "/{hook}/attempts",
        summary="The last attempts to deliver messages, newest first",
        responses=responses(HOOK_NOT_FOUND, INVALID_REQUEST),
    )
    @needs(Scope.ADMIN)
    async def list_hook_attempts(hook: HookId, limit: Limit = 50) -> list[Attempt]:
        return list(await hooks.attempts(hook, limit))

    @router.get(
        "/{hook}/dead",
        summary="The messages that failed for good, newest first",
        responses=responses(HOOK_NOT_FOUND, INVALID_REQUEST),
    )
    @needs(Scope.ADMIN)
    async def list_dead_messages(hook: HookId, limit: Limit = 50) -> list[DeadMessage]:
        dead = await hooks.dead(hook, limit)
        return [DeadMessage(**{name: getattr(each, name) for name in DeadMessage.model_fields}) for each in dead]

    return router


def _fields(hook: Hook) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in HookView.model_fields}


def _view(hook: Hook) -> HookView:
    return HookView(**_fields(hook))


def _counts(status: HookStatus) -> HookCounts:
    return HookCounts(**_fields(status.hook), pending=status.pending, dead=status.dead)


def _secret(hook: Hook) -> HookSecret:
    return HookSecret(**_fields(hook), secret=hook.secret)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _shown(url: str) -> str:
    """The server of ``url``: its path and query may be secret."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or ''}"[:200]
    except ValueError:
        return ""
