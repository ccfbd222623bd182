"""Counts of the HTTP answers by kind and class of status. The child of each pair of labels is made in advance."""

from prometheus_client import CollectorRegistry, Counter

# Of media, then of everything else.
KINDS = (
    *("master", "manifest", "playlist", "recording", "init", "segment", "part", "refused"),
    *("page", "static", "status", "report", "api", "clock", "health", "metrics"),
)
UNKNOWN = "unknown"
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class RequestCounts:
    def __init__(self, registry: CollectorRegistry) -> None:
        answers = Counter("headwater_requests", "Requests answered", ["kind", "status"], registry=registry)
        served = Counter("headwater_served_bytes", "Bytes of their answers", ["kind"], registry=registry)
        self._answers = {
            kind: tuple(answers.labels(kind, status_class) for status_class in CLASSES)
            for kind in (*KINDS, UNKNOWN)
        }
        self._served = {kind: served.labels(kind) for kind in (*KINDS, UNKNOWN)}

    def add(self, kind: str, status: int, size: int) -> None:
        """Called for each answer; ``size`` is that of its body. An error's body is not counted."""
        answers = self._answers.get(kind)
        if answers is None:
            kind, answers = UNKNOWN, self._answers[UNKNOWN]
        answers[status // 100 - 1].inc()
        if status < 400:
            self._served[kind].inc(size)
