"""Adds the begin and the end of each warning to the event log."""

from dataclasses import dataclass

from storage.catalogue.events import EventCode
from worker import publisher_events
from worker.event_log import EventSink
from worker.warnings import Warnings

STORE = "store"
# What these warn of has events of its own.
OWN_EVENTS = frozenset({publisher_events.CODE, "transcoder-died"})
# A warning that returns within this many seconds is the same one.
QUIET_S = 5.0


@dataclass(slots=True)
class _Open:
    """A warning that has begun. Monotonic seconds."""

    since: float
    seen: float


class EventReview:
    """``now`` is monotonic seconds."""

    def __init__(self, events: EventSink, warnings: Warnings) -> None:
        self._events = events
        self._warnings = warnings
        self._open: dict[str, _Open] = {}

    def review(self, now: float) -> None:
        """Call it about once a second."""
        for warning in self._warnings.status(now):
            if warning.code in OWN_EVENTS:
                continue
            known = self._open.get(warning.code)
            if known is None:
                self._open[warning.code] = _Open(now, now)
                self._begin(warning.code, warning.text)
            else:
                known.seen = now
        for code, warned in tuple(self._open.items()):
            if now - warned.seen >= QUIET_S:
                del self._open[code]
                self._end(code, round(warned.seen - warned.since, 1))

    def _begin(self, code: str, text: str) -> None:
        if code == STORE:
            self._events.add(EventCode.STORE_AWAY, text)
        else:
            self._events.add(EventCode.WARNING, text, warning=code)

    def _end(self, code: str, lasted_s: float) -> None:
        if code == STORE:
            text = f"the store takes uploads again, after {lasted_s:.0f} s"
            self._events.add(EventCode.STORE_BACK, text, lasted_s=lasted_s)
        else:
            text = f"the warning {code} is over, after {lasted_s:.0f} s"
            self._events.add(EventCode.WARNING_OVER, text, warning=code, lasted_s=lasted_s)
