"""The fields that each log line of a broadcast has in common."""

from collections.abc import Mapping
from types import MappingProxyType

LogContext = Mapping[str, str]

NO_CONTEXT: LogContext = MappingProxyType({})


def broadcast_context(stream: str, broadcast: str) -> LogContext:
    return {"stream": stream, "broadcast": broadcast}
