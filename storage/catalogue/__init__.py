"""The durable catalogue: streams, their keys and past broadcasts, as JSON objects in the store."""

from storage.catalogue.catalogue import (
    BadStreamName,
    BroadcastNotFound,
    Catalogue,
    NoBackupKey,
    StreamExists,
    StreamNotFound,
    StreamPurging,
)

__all__ = [
    "BadStreamName",
    "BroadcastNotFound",
    "Catalogue",
    "NoBackupKey",
    "StreamExists",
    "StreamNotFound",
    "StreamPurging",
]
