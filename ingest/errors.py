"""The base class of all errors of ingest, and the errors of its server.

The errors of RTMP (:mod:`ingest.rtmp.errors`) and FLV (:mod:`ingest.flv.errors`) are subclasses too. No error text
contains a stream key.
"""

from typing import ClassVar

from media.errors import HeadwaterError


class IngestError(HeadwaterError):
    """Base of all errors of ingest."""

    code: ClassVar[str] = "ingest"


class PublishRefused(IngestError):
    """The publisher is not allowed to publish. ``text`` is sent to it."""

    code: ClassVar[str] = "publish-refused"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
