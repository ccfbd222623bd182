"""The declared errors of ingest. Below :class:`IngestError` stand RTMP's (:mod:`ingest.rtmp.errors`) and FLV's
(:mod:`ingest.flv.errors`), and the edge's own here.

The stream key is never part of a text.
"""

from typing import ClassVar

from media.errors import HeadwaterError


class IngestError(HeadwaterError):
    """Base of what ingest raises."""

    code: ClassVar[str] = "ingest"


class PublishRefused(IngestError):
    """The publisher may not publish; ``text`` is what it is told."""

    code: ClassVar[str] = "publish-refused"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
