"""Keeping and deleting recordings: which ones go and when, their removal from the store, and what they occupy."""

from storage.keeping.errors import BroadcastInUse, BroadcastKept, KeepingError
from storage.keeping.keeper import Keeper
from storage.keeping.recordings import Recording
from storage.keeping.retention import Cause, Departure, PlayableFor
from storage.keeping.usage import Space, StreamUsage, Usage

__all__ = [
    "BroadcastInUse",
    "BroadcastKept",
    "Cause",
    "Departure",
    "Keeper",
    "KeepingError",
    "PlayableFor",
    "Recording",
    "Space",
    "StreamUsage",
    "Usage",
]
