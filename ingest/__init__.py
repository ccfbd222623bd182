"""Receives broadcasts over RTMP and produces access units.

:class:`IngestServer` listens on the RTMP port. :mod:`ingest.rtmp` and :mod:`ingest.flv` do no I/O.
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
