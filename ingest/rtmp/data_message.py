"""Data messages (RTMP 1.0, section 7.1.2): ``onMetaData``, with or without ``@setDataFrame`` before it."""

from collections.abc import Mapping

from ingest.rtmp.amf0 import decode
from ingest.rtmp.command import amf0_payload
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import Message


def parse_metadata(message: Message, limits: Limits) -> Mapping[str, object] | None:
    """The scalar values of ``onMetaData``, or None for other data messages. Raises MalformedAmf, AmfLimit."""
    values = decode(amf0_payload(message), limits)
    if values[:1] == ["@setDataFrame"]:
        del values[0]
    match values:
        case ["onMetaData", dict(metadata), *_]:
            return {name: value for name, value in metadata.items() if isinstance(value, str | float | bool)}
    return None
