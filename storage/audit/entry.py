"""One entry of the audit log, as JSON."""

import secrets
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from media.promises import NOT_NEGATIVE
from storage.catalogue.scopes import Scope

MAX_TEXT = 200
"""Characters of a text that a client chooses."""


class AuditActor(BaseModel):
    """The API token that was used. ``api-token`` is the one in the data directory."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(examples=["backup"])
    id: str = Field(examples=["9f86d081"], description="differs between tokens that had the same name")
    scope: Scope = Field(examples=["operate"])


class AuditEntry(BaseModel):
    """Unknown fields are ignored, so that an older Headwater can read the entries of a newer one."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(examples=["5feceb66ffc8"])
    at: float = Field(
        examples=[1795257665.25], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    action: str = Field(examples=["kill"])
    result: str = Field(default="done", examples=["done", "not-live"], description="done, or the error's code")
    stream: str | None = Field(default=None, examples=["studio-a"])
    token: AuditActor | None = Field(default=None, description="null: the server itself, or an unknown sender")
    address: str | None = Field(default=None, examples=["203.0.113.7"])
    client: str | None = Field(default=None, examples=["headwater/0.1.0"], description="the client's User-Agent")
    details: dict[str, JsonValue] = Field(default={}, examples=[{"ban_s": 60.0, "reason": "wrong stream"}])


def new_entry(
    action: str,
    *,
    at: float,
    result: str = "done",
    stream: str | None = None,
    token: AuditActor | None = None,
    address: str | None = None,
    client: str | None = None,
    details: Mapping[str, JsonValue] | None = None,
) -> AuditEntry:
    """``at`` is Unix seconds. ``stream``, ``address`` and ``client`` may be any text of a client. ``details`` has
    to be bounded, and without secrets."""
    return AuditEntry(
        id=secrets.token_hex(6),
        at=at,
        action=action,
        result=result,
        stream=_printable(stream),
        token=token,
        address=_printable(address),
        client=_printable(client),
        details=dict(details or {}),
    )


def _printable(text: str | None) -> str | None:
    """At most ``MAX_TEXT`` characters, without those that control a terminal or break a line of a log."""
    if text is None:
        return None
    return "".join(character if character.isprintable() else "�" for character in text[:MAX_TEXT])
