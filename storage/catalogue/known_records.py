"""The stream records this process has seen lately: publishing goes on while the store is slow or down."""

from collections import OrderedDict
from dataclasses import dataclass

from storage.catalogue.records import StreamRecord


@dataclass(frozen=True, slots=True)
class Known:
    record: StreamRecord
    at: float


class KnownRecords:
    """At most ``limit`` records; the least recently seen go first. Times are of the caller's clock."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._streams: dict[str, str] = {}

    def remember(self, record: StreamRecord, now: float) -> None:
        self.forget(record.stream)
        self._known[record.stream] = Known(record, now)
        self._streams.update(dict.fromkeys(record.key_hashes, record.stream))
        while len(self._known) > self._limit:
            self.forget(next(iter(self._known)))

    def forget(self, stream: str) -> None:
        known = self._known.pop(stream, None)
        if known is not None:
            for hashed in known.record.key_hashes:
                self._streams.pop(hashed, None)

    def get(self, stream: str) -> Known | None:
        return self._known.get(stream)

    def stream_of(self, hashed: str) -> str | None:
        return self._streams.get(hashed)
