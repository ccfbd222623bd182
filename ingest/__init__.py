"""RTMP in, access units out: who publishes, what they send, and when they are gone.

:class:`IngestServer` is the edge; :mod:`ingest.rtmp` and :mod:`ingest.flv` know nothing of sockets.
"""

from ingest.errors import IngestError, PublishRefused
from ingest.interface import EndReason, IngestHandler, Publication, PublisherLink, PublishRequest
from ingest.options import IngestOptions
from ingest.server import IngestServer

__all__ = [
    "EndReason",
    "IngestError",
    "IngestHandler",
    "IngestOptions",
    "IngestServer",
    "Publication",
    "PublishRefused",
    "PublishRequest",
    "PublisherLink",
]
