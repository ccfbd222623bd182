"""A record of what the viewers of one process received. Times are seconds of the system's monotonic clock."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.lab.viewers.playlist import MediaPlaylist, Part


@dataclass(slots=True)
class Record:
    """``arrivals`` has two times for each viewer that received a part: when it began to fetch this rendition, and
    when the part's last byte arrived. ``listed`` is when a playlist first listed each part, ``urls`` when each URL
    was first answered, ``lag`` how late the event loop was."""

    requests: Counter[str] = field(default_factory=Counter)
    seconds: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    received_bytes: int = 0
    arrivals: dict[str, "array[float]"] = field(default_factory=dict)
    listed: dict[str, float] = field(default_factory=dict)
    urls: dict[str, float] = field(default_factory=dict)
    lag: "array[float]" = field(default_factory=lambda: array("d"))
    switches: int = 0
    misled: int = 0

    def answered(self, kind: str, path: str, size: int, now: float) -> None:
        self.requests[kind] += 1
        self.seconds[int(now)] += 1
        self.received_bytes += size
        self.urls.setdefault(path, now)

    def arrived(self, path: str, since: float, first_byte: float, last_byte: float) -> None:
        moments = self.arrivals.get(path)
        if moments is None:
            moments = self.arrivals[path] = array("d")
        moments.append(since)
        moments.append(last_byte)

    def playlist_read(self, playlist: MediaPlaylist, new: Sequence[Part], now: float) -> None:
        for part in new:
            self.named(part.path, now)

    def named(self, path: str, now: float) -> None:
        self.listed.setdefault(path, now)

    def failed(self, kind: str, what: str) -> None:
        self.errors[f"{kind}: {what}"] += 1


def together(records: Iterable[Record]) -> Record:
    """The records of several processes as one."""
    whole = Record()
    for record in records:
        whole.requests += record.requests
        whole.seconds += record.seconds
        whole.errors += record.errors
        whole.received_bytes += record.received_bytes
        whole.lag.extend(record.lag)
        whole.switches += record.switches
        whole.misled += record.misled
        for path, moments in record.arrivals.items():
            whole.arrivals.setdefault(path, array("d")).extend(moments)
        for path, moment in record.listed.items():
            whole.listed[path] = min(moment, whole.listed.get(path, moment))
        for path, moment in record.urls.items():
            whole.urls[path] = min(moment, whole.urls.get(path, moment))
    return whole
