"""The durable catalogue: streams, their keys and past broadcasts, as JSON objects in the store."""

from storage.catalogue.catalogue import (
    BadStreamName,
    Catalogue,
    StreamExists,
    StreamNotFound,
)

__all__ = ["BadStreamName", "Catalogue", "StreamExists", "StreamNotFound"]
