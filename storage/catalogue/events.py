"""The event log of a broadcast, as JSON: what happened to it, for its operator.

    catalogue/events/{stream}/{broadcast}.json         EventRecord

It is beside the media in the same store, but not below ``live/``: events have addresses of publishers, and all of
``live/`` may be public, through the origin, a cache or a CDN. ``catalogue/`` is private everywhere.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from media.promises import CODE, NOT_NEGATIVE

MAX_EVENTS = 500
"""Of one broadcast. Further ones replace older ones."""
MAX_TEXT = 500
MAX_FIELD = 200

FieldValue = str | int | float


class EventCode(StrEnum):
    """docs/events.md describes each."""

    STARTED = "started"
    PUBLISHER_LOST = "publisher-lost"
    PUBLISHER_RETURNED = "publisher-returned"
    SLATE = "slate"
    SLATE_OVER = "slate-over"
    TAKEN_OVER = "taken-over"
    SWITCHED = "switched"
    SOURCE_CHANGED = "source-changed"
    DISCONTINUITY = "discontinuity"
    TRANSCODER_REPLACED = "transcoder-replaced"
    RUNG_SHED = "rung-shed"
    RUNG_RETURNED = "rung-returned"
    SEGMENT_LOST = "segment-lost"
    STORE_AWAY = "store-away"
    STORE_BACK = "store-back"
    RECOVERED = "recovered"
    WARNING = "warning"
    WARNING_OVER = "warning-over"
    ENDED = "ended"
    KEPT = "kept"
    RELEASED = "released"
    DELETED = "deleted"


class Event(BaseModel):
    """One event. ``code`` is an :class:`EventCode`, or one of a newer Headwater."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(
        examples=[3], description="counts from 1; a later event has a higher one", json_schema_extra=NOT_NEGATIVE
    )
    at: float = Field(
        examples=[1795257665.25], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    code: str = Field(examples=["publisher-returned"], json_schema_extra=CODE)
    text: str = Field(examples=["the publisher returned from 203.0.113.7:50114 after 4.2 s"])
    fields: dict[str, JsonValue] = Field(
        default={},
        examples=[{"away_s": 4.2, "address": "203.0.113.7:50114"}],
        description="the values of the text, for programs",
    )


class EventRecord(BaseModel):
    """``events`` are in order. ``dropped`` is how many others there were, beyond MAX_EVENTS. ``complete``: no more
    can follow. Unknown fields are ignored, so that an older Headwater can read the records of a newer one."""

    model_config = ConfigDict(frozen=True)

    stream: str
    broadcast: str
    events: tuple[Event, ...] = ()
    dropped: int = 0
    complete: bool = False

    def after(self, number: int, limit: int) -> "EventRecord":
        """The record with the first ``limit`` events whose number is above ``number``."""
        events = tuple(event for event in self.events if event.number > number)[:limit]
        return self.model_copy(update={"events": events})


def events_prefix(stream: str) -> str:
    return f"catalogue/events/{stream}/"


def events_object(stream: str, broadcast: str) -> str:
    return f"{events_prefix(stream)}{broadcast}.json"
