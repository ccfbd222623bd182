"""The figures of one session, from the reports of its player.

Players report the same things in several ways: a stall by a change of the state, by its duration (``bsd``), by
totals (``bsa``, ``bsda``), or only by a flag (``bs``). Each way is counted for itself, and the largest count
holds, so that nothing counts twice. The time to start is ``msd``, or else the time from the state "starting" to
the state "playing".
"""

from dataclasses import dataclass

from origin.qoe.cmcd import ERROR, MAX_START_MS, Report

STARTING, PLAYING, REBUFFERING = "s", "p", "r"
GONE = frozenset("efq")
# The longest time between two reports that counts as played or stalled. Players report every 30 seconds or more
# often.
LONGEST_GAP_MS = 120_000


@dataclass(frozen=True, slots=True)
class Gain:
    """What a report adds to the figures. ``start_s`` is None if it does not report the start."""

    stalls: int = 0
    stalled_s: float = 0.0
    played_s: float = 0.0
    errors: int = 0
    start_s: float | None = None


class Session:
    """``now`` is monotonic seconds. ``latency_ms`` and ``kbps`` are the newest, None before the first;
    ``rendition`` is the one that plays, as the caller knows it; empty if it does not."""

    __slots__ = (
        "_error",
        "_flagged",
        "_in_all",
        "_in_all_before",
        "_in_durations",
        "_in_flags",
        "_in_states",
        "_reported_at_ms",
        "_starting_at_ms",
        "_state",
        "_total",
        "kbps",
        "latency_ms",
        "rendition",
        "seen_at",
        "start_s",
        "started_at",
    )

    def __init__(self, now: float) -> None:
        self.seen_at = now
        self.rendition = ""
        self.kbps: int | None = None
        self.latency_ms: int | None = None
        self.start_s: float | None = None
        self.started_at = now
        self._state: str | None = None
        self._reported_at_ms: int | None = None
        self._starting_at_ms: int | None = None
        self._flagged = False
        self._error: tuple[str, ...] = ()
        # Stalls and their milliseconds, by each way to report them.
        self._in_states = [0, 0]
        self._in_durations = [0, 0]
        self._in_flags = [0, 0]
        self._in_all = [0, 0]
        self._in_all_before: list[int | None] = [None, None]
        self._total = [0, 0]

    @property
    def gone(self) -> bool:
        """Whether the player has said that it plays no more."""
        return self._state in GONE

    def take(self, report: Report, now: float) -> Gain:
        """What ``report`` adds, which arrived now."""
        self.seen_at = now
        at_ms = round(now * 1000) if report.at_ms is None else report.at_ms
        passed_ms = 0 if self._reported_at_ms is None else min(at_ms - self._reported_at_ms, LONGEST_GAP_MS)
        played_ms = passed_ms if passed_ms > 0 and self._state in (None, PLAYING) else 0
        self._count_stalls(report, max(0, passed_ms))
        start_s = self._start(report, at_ms, now)
        if passed_ms >= 0:
            self._state = report.state or self._state
            self._reported_at_ms = at_ms
        self.kbps = report.kbps or self.kbps
        self.latency_ms = self.latency_ms if report.latency_ms is None else report.latency_ms
        before, self._total = self._total, self._largest()
        return Gain(
            stalls=self._total[0] - before[0],
            stalled_s=(self._total[1] - before[1]) / 1000,
            played_s=played_ms / 1000,
            errors=self._new_errors(report),
            start_s=start_s,
        )

    def _count_stalls(self, report: Report, passed_ms: int) -> None:
        if self._state == REBUFFERING:
            self._in_states[1] += passed_ms
        elif report.state == REBUFFERING:
            self._in_states[0] += 1
        if report.stalls is not None:
            self._in_durations[0] += report.stalls.count
            self._in_durations[1] += report.stalls.ms
        self._in_flags[0] += report.starved and not self._flagged
        self._flagged = report.starved
        for index, value in enumerate((report.all_stalls, report.all_stalled_ms)):
            if value is None:
                continue
            # The session may be older than its first report here.
            before = self._in_all_before[index]
            self._in_all[index] += 0 if before is None else max(0, value - before)
            self._in_all_before[index] = value

    def _largest(self) -> list[int]:
        ways = (self._in_states, self._in_durations, self._in_flags, self._in_all)
        return [max(way[index] for way in ways) for index in (0, 1)]

    def _start(self, report: Report, at_ms: int, now: float) -> float | None:
        """The time to start, in seconds, if this report is the first one that has it."""
        if report.state == STARTING and self._starting_at_ms is None:
            self._starting_at_ms = at_ms
        start_ms = report.start_ms
        if start_ms is None and report.state == PLAYING and self._starting_at_ms is not None:
            start_ms = at_ms - self._starting_at_ms
        if start_ms is None or not 0 <= start_ms <= MAX_START_MS:
            return None
        is_first = self.start_s is None
        if not is_first and report.start_ms is None:
            return None
        self.start_s, self.started_at = start_ms / 1000, now
        return self.start_s if is_first else None

    def _new_errors(self, report: Report) -> int:
        """Without events, an error is in every report until there is another one."""
        if report.event is not None:
            return int(report.event == ERROR)
        before, self._error = self._error, report.errors
        return int(bool(report.errors) and report.errors != before)
