"""The types of the events that hooks receive."""

from enum import StrEnum


class HookEvent(StrEnum):
    """docs/hooks.md has an example of each."""

    STREAM_LIVE = "stream.live"
    STREAM_ENDED = "stream.ended"
    PUBLISHER_CONNECTED = "publisher.connected"
    PUBLISHER_LOST = "publisher.lost"
    RECORDING_READY = "recording.ready"
    WARNING_RAISED = "warning.raised"
    STORE_TROUBLE = "store.trouble"


TEST_EVENT = "hook.test"
"""Sent only when an operator asks for it."""
