"""What is sent to hooks: the events of broadcasts and of the store, each with its data. Pure."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from live.messages import BroadcastPlayable, BroadcastStored, Milestone
from live.topics import BroadcastRef
from origin.api.models import dash_path, hls_path
from storage.catalogue.events import Event, EventCode
from storage.hooks.event_types import TEST_EVENT, HookEvent
from storage.watch import StoreTrouble

# The events of a broadcast's log that are sent, and how a publisher came.
CONNECTIONS = {
    EventCode.STARTED: "started",
    EventCode.PUBLISHER_RETURNED: "returned",
    EventCode.TAKEN_OVER: "took-over",
}
TYPES = {
    **dict.fromkeys(CONNECTIONS, HookEvent.PUBLISHER_CONNECTED),
    EventCode.PUBLISHER_LOST: HookEvent.PUBLISHER_LOST,
    EventCode.WARNING: HookEvent.WARNING_RAISED,
    EventCode.ENDED: HookEvent.STREAM_ENDED,
}

# Fields of a broadcast's record that only a stored recording can get.
LATER_FIELDS = {"kept", "deleted_at", "deleted_for"}


@dataclass(frozen=True, slots=True)
class Notice:
    """``at`` is Unix seconds. ``stream`` is None if it concerns the server."""

    event: str
    at: float
    data: dict[str, JsonValue]
    stream: str | None = None

    def body(self) -> str:
        """The JSON that is sent and signed."""
        moment = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps({"type": self.event, "timestamp": moment, "data": self.data}, ensure_ascii=False)


def of_event(ref: BroadcastRef, event: Event) -> Notice | None:
    """None for an event that is not sent."""
    if event.code not in TYPES:
        return None
    code = EventCode(event.code)
    data: dict[str, JsonValue] = {**ref._asdict(), "text": event.text, **event.fields}
    if code in CONNECTIONS:
        data["how"] = CONNECTIONS[code]
    return Notice(TYPES[code], event.at, data, ref.stream)


def of_milestone(ref: BroadcastRef, milestone: Milestone, *, at: float, public_url: str) -> Notice:
    links: dict[str, JsonValue] = {
        "hls": public_url + hls_path(*ref),
        "dash": public_url + dash_path(*ref),
    }
    match milestone:
        case BroadcastPlayable():
            links["watch"] = f"{public_url}/watch/{ref.stream}"
            return Notice(HookEvent.STREAM_LIVE, at, {**ref._asdict(), **links}, ref.stream)
        case BroadcastStored(record):
            links["watch"] = f"{public_url}/watch/{ref.stream}?broadcast={ref.broadcast}"
            data: dict[str, JsonValue] = record.model_dump(mode="json", exclude=LATER_FIELDS)
            return Notice(HookEvent.RECORDING_READY, at, data | links, ref.stream)


def of_trouble(trouble: StoreTrouble, text: str, *, at: float, public_url: str) -> Notice:
    data: dict[str, JsonValue] = {"server": public_url, "state": trouble.value, "text": text}
    return Notice(HookEvent.STORE_TROUBLE, at, data)


def of_test(hook: str, *, at: float) -> Notice:
    return Notice(TEST_EVENT, at, {"hook": hook, "text": "this is a test of the hook"})
