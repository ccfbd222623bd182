"""The figures of each stream and rendition, over the last minutes and since the server's start.

Everything is bounded: the streams, their renditions, the sessions of one stream and of all. If there are too many
sessions, those that reported the longest ago are forgotten. ``now`` is monotonic seconds.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from origin.qoe.cmcd import Report
from origin.qoe.figures import LATENCY_BOUNDS, START_BOUNDS, Distribution, Figures, Sums, spread
from origin.qoe.ladder import UNKNOWN, Ladder
from origin.qoe.session import Gain, Session

WINDOW_S = 300.0
SLOT_S = 10.0
# A session that has not reported for this long is not there any more. Players report every 30 seconds or more
# often.
PRESENT_S = 60.0
MAX_STREAMS = 1000
MAX_RENDITIONS = 32
MAX_SESSIONS = 10_000
MAX_SESSIONS_OF_STREAM = 5000
OTHERS = "_others"
NOTHING = Gain()


@dataclass(slots=True)
class _Slot:
    """The sums of ``SLOT_S`` seconds by rendition."""

    since: float
    sums: dict[str, Sums] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """One stream. ``totals`` are since the server's start."""

    whole: Figures
    renditions: Mapping[str, Figures]
    totals: Sums


class StreamFigures:
    """One stream. ``totals`` are by rendition."""

    def __init__(self) -> None:
        self.sessions: OrderedDict[str, Session] = OrderedDict()
        self.totals: dict[str, Sums] = {}
        self.starts = Distribution(START_BOUNDS)
        self.latencies = Distribution(LATENCY_BOUNDS)
        self._renditions: set[str] = set()
        self._slots: deque[_Slot] = deque(maxlen=round(WINDOW_S / SLOT_S))

    def take(self, session: Session, report: Report, rendition: str | None, now: float) -> None:
        """``rendition`` plays from now on; None is the same as before."""
        gain = session.take(report, now)
        before = session.rendition
        if rendition is not None:
            session.rendition = self._bounded(rendition)
        if gain != NOTHING:
            name = before or session.rendition or UNKNOWN
            for sums in (self._slot(now).sums, self.totals):
                sums.setdefault(name, Sums()).add(gain)
        if gain.start_s is not None:
            self.starts.add(gain.start_s)
        if report.latency_ms is not None:
            self.latencies.add(report.latency_ms / 1000)

    def view(self, now: float) -> View:
        recent = [slot for slot in self._slots if now - slot.since < WINDOW_S]
        names = {_rendition_of(session) for session in self.sessions.values()}.union(
            *(slot.sums for slot in recent)
        )
        by_rendition: dict[str, list[Session]] = {name: [] for name in sorted(names)}
        for session in self.sessions.values():
            by_rendition[_rendition_of(session)].append(session)
        return View(
            whole=_figures(self.sessions.values(), [sums for slot in recent for sums in slot.sums.values()], now),
            renditions={
                name: _figures(sessions, [slot.sums[name] for slot in recent if name in slot.sums], now)
                for name, sessions in by_rendition.items()
            },
            totals=_merged(self.totals.values()),
        )

    def present(self, now: float) -> dict[str, tuple[int, float | None]]:
        """By rendition: how many sessions play it, and the mean of the bitrates that they report, in bit/s."""
        counts: dict[str, int] = {}
        rates: dict[str, list[int]] = {}
        for session in self.sessions.values():
            if _is_present(session, now):
                name = _rendition_of(session)
                counts[name] = counts.get(name, 0) + 1
                if session.kbps:
                    rates.setdefault(name, []).append(session.kbps)
        return {name: (count, _mean_bps(rates.get(name, []))) for name, count in counts.items()}

    def _bounded(self, rendition: str) -> str:
        if len(self._renditions) < MAX_RENDITIONS - 1:
            self._renditions.add(rendition)
        return rendition if rendition in self._renditions else UNKNOWN

    def _slot(self, now: float) -> _Slot:
        if not self._slots or now - self._slots[-1].since >= SLOT_S:
            self._slots.append(_Slot(now))
        return self._slots[-1]


class StreamsFigures:
    """All streams. At most ``MAX_STREAMS`` have figures of their own; all others share those of ``OTHERS``."""

    def __init__(self) -> None:
        self.streams: dict[str, StreamFigures] = {}
        # By stream and session, those that reported the longest ago first.
        self._order: OrderedDict[tuple[str, str], Session] = OrderedDict()

    @property
    def sessions(self) -> int:
        return len(self._order)

    def take(self, stream: str, reports: Iterable[Report], ladder: Ladder, now: float) -> None:
        """Count ``reports`` of a stream that exists."""
        self.expire(now)
        if stream not in self.streams and len(self.streams) >= MAX_STREAMS:
            stream = OTHERS
        figures = self.streams.setdefault(stream, StreamFigures())
        for report in reports:
            session = self._session(stream, figures, report.session, now)
            figures.take(session, report, ladder.rendition(report), now)

    def view(self, stream: str, now: float) -> View:
        self.expire(now)
        return self.streams.get(stream, StreamFigures()).view(now)

    def expire(self, now: float) -> None:
        """Forget the sessions that have not reported for the length of the window."""
        while self._order:
            key, session = next(iter(self._order.items()))
            if now - session.seen_at < WINDOW_S:
                return
            self._forget(*key)

    def _session(self, stream: str, figures: StreamFigures, name: str, now: float) -> Session:
        key = stream, name
        session = figures.sessions.get(name)
        if session is not None:
            figures.sessions.move_to_end(name)
            self._order.move_to_end(key)
            return session
        if len(figures.sessions) >= MAX_SESSIONS_OF_STREAM:
            self._forget(stream, next(iter(figures.sessions)))
        elif len(self._order) >= MAX_SESSIONS:
            self._forget(*next(iter(self._order)))
        session = figures.sessions[name] = self._order[key] = Session(now)
        return session

    def _forget(self, stream: str, name: str) -> None:
        del self._order[stream, name]
        del self.streams[stream].sessions[name]


def _rendition_of(session: Session) -> str:
    return session.rendition or UNKNOWN


def _is_present(session: Session, now: float) -> bool:
    return now - session.seen_at < PRESENT_S and not session.gone


def _figures(sessions: Iterable[Session], sums: Iterable[Sums], now: float) -> Figures:
    known = list(sessions)
    present = [session for session in known if _is_present(session, now)]
    starts = [each.start_s for each in known if each.start_s is not None and now - each.started_at < WINDOW_S]
    mean = _mean_bps([each.kbps for each in present if each.kbps])
    return Figures(
        sessions=len(present),
        start=spread(starts),
        latency=spread([each.latency_ms / 1000 for each in present if each.latency_ms is not None]),
        bitrate_bps=None if mean is None else round(mean),
        sums=_merged(sums),
    )


def _merged(parts: Iterable[Sums]) -> Sums:
    merged = Sums()
    for part in parts:
        merged.merge(part)
    return merged


def _mean_bps(kbps: list[int]) -> float | None:
    return 1000 * sum(kbps) / len(kbps) if kbps else None
