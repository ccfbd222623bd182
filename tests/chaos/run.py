"""Causes faults in random order, and collects what viewers saw."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.census import Census
from tests.chaos.faults.catalogue import FAULTS
from tests.chaos.faults.fault import Fault
from tests.chaos.judge import event_failures, leak_failures, stored_failures, viewer_failures
from tests.chaos.pages import LASTING_S
from tests.chaos.stage import Stage, Stream, prepared
from tests.lab.browser import CHROMIUM

# Before the server is judged at its end: connections and threads end, and series of ended streams go.
SETTLE_S = 10.0
# A server that was killed is back within this time.
RESTART_S = 3.0
# The longest stall of streams that a fault does not concern.
OTHERS_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True)
class Blow:
    """One fault that was caused. Times are seconds since the run began; ``until`` is when the next one began. The
    stalls are in seconds: ``strict`` of the strict clients that the fault concerns, ``others`` of all clients of
    the other streams, ``hls`` and ``dash`` of the players in Chromium if the fault concerns their streams."""

    fault: str
    stream: str
    began: float
    done: float
    until: float
    strict: float
    others: float
    hls: float | None
    dash: float | None

    # How long the server was down.
    down: float = 0.0

    @property
    def longest(self) -> float:
        return max(self.strict, self.hls or 0.0, self.dash or 0.0)

    @property
    def limit(self) -> float:
        """The fault's. It is for a server that is back in time, so what a busy machine takes longer is added."""
        return FAULTS[self.fault].limit_s + max(0.0, self.down - RESTART_S)


@dataclass(slots=True)
class Outcome:
    """``stalls`` are time, length and client of each stall, for the plot; ``failures`` are in words."""

    seed: int
    seconds: float
    streams: int
    blows: list[Blow] = field(default_factory=list)
    stalls: list[tuple[float, float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    waits: dict[str, int] = field(default_factory=dict)
    down_s: list[float] = field(default_factory=list)
    parts: int = 0
    segments: int = 0
    compared: int = 0
    recordings: int = 0
    gaps: int = 0
    early: Census | None = None
    late: Census | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """``seconds`` of faults, chosen by ``seed`` from ``only``, each at least once if ``whole``."""

    seed: int
    seconds: float
    streams: int
    pages: bool
    only: Sequence[str] = ()
    stalls_limited: bool = True


def order(faults: Sequence[Fault], random: Random) -> Iterator[Fault]:
    """Rounds without end; each has every fault once, in random order."""
    while True:
        round_ = list(faults)
        random.shuffle(round_)
        yield from round_


async def run(plan: Plan, folder: Path, *, once: bool = False, verbose: bool = True) -> Outcome:
    """Raises LabError. ``once``: one round of the faults, however long it takes."""
    random = Random(plan.seed)
    outcome = Outcome(plan.seed, plan.seconds, plan.streams)
    pages = plan.pages and CHROMIUM is not None
    async with prepared(folder, random, streams=plan.streams, pages=pages) as stage:
        kind = stage.store.kind
        faults = [FAULTS[name] for name in plan.only or FAULTS]
        faults = [found for found in faults if found.needs in (None, kind)]
        await stage.calm("the start")
        began, wall = time.monotonic(), time.time()
        marks: list[tuple[Fault, str, float, float]] = []
        for place, fault in enumerate(order(faults, random)):
            if place >= len(faults) if once else time.monotonic() - began > plan.seconds:
                break
            stream = random.choice(stage.streams)
            at = time.monotonic()
            if verbose:
                concerned = "all" if fault.everywhere else stream.name
                print(f"{at - began:6.1f} s  {fault.name} ({concerned})", flush=True)
            try:
                await fault.strike(stage, stream)
            except (AssertionError, OSError) as error:
                outcome.failures.append(f"{fault.name} could not be caused: {error!r}")
            marks.append((fault, stream.name, at, time.monotonic()))
            await stage.calm(f"{fault.name} at {at - began:.0f} s")
            await stage.take_early_census()
        while not once and stage.early is None:
            await asyncio.sleep(1.0)
            await stage.take_early_census()
        end = time.monotonic()
        for shown in stage.streams:
            if shown.page is not None:
                await shown.page.read()
        events = {shown.name: await stage.events(shown) for shown in stage.streams}
        await stage.end()
        await asyncio.sleep(SETTLE_S if not once else 1.0)
        outcome.early, outcome.late = stage.early, await stage.census()
        log = stage.log
        code = await stage.stop_server()
        if code:
            outcome.failures.append(f"the server ended with code {code}")
        text = log.text()
        if (place_ := text.find("Traceback")) >= 0:
            outcome.failures.append(f"the server logged {text[place_ : place_ + 1500]}")
        stored = await asyncio.to_thread(stage.store.copy, folder / "copy")
        _collect(outcome, stage, marks, began, end)
        outcome.failures += stage.unsettled
        outcome.failures += viewer_failures(stage.streams, began, stage.downtime)
        outcome.failures += event_failures(marks, events, began, wall)
        digests = {path: digest for x in stage.streams for path, digest in x.viewer.digests.items()}
        result = await asyncio.to_thread(stored_failures, stored, digests, folder)
        outcome.failures += result.failures
        outcome.recordings, outcome.gaps, outcome.compared = result.recordings, result.gaps, result.compared
        outcome.failures += leak_failures(outcome.early, outcome.late)
    outcome.failures += limits_missed(outcome.blows) if plan.stalls_limited else ()
    return outcome


def limits_missed(blows: Sequence[Blow], patience: float = 1.0) -> Iterator[str]:
    """``patience`` multiplies the limits, for a busy machine."""
    for blow in blows:
        if blow.longest > patience * blow.limit:
            shown = ", ".join(f"{name} {value:.1f} s" for name, value in _stalls(blow))
            yield f"{blow.fault} at {blow.began:.0f} s: stalls of {shown}; the limit is {blow.limit:.1f} s"
        if blow.others > patience * OTHERS_LIMIT_S:
            yield (
                f"{blow.fault} of {blow.stream} at {blow.began:.0f} s: a stall of {blow.others:.1f} s on another "
                f"stream; the limit is {OTHERS_LIMIT_S} s"
            )


def _stalls(blow: Blow) -> Iterator[tuple[str, float]]:
    yield "strict client", blow.strict
    if blow.hls is not None:
        yield "hls.js", blow.hls
    if blow.dash is not None:
        yield "dash.js", blow.dash


def _stalled_s(stream: Stream, begin: float, end: float) -> float:
    """The longest stall of all clients of a stream."""
    page = stream.page.stalled_s(begin, end) if stream.page is not None else 0.0
    return max(page, stream.viewer.stalled_s(begin, end))


def _collect(
    outcome: Outcome, stage: Stage, marks: Sequence[tuple[Fault, str, float, float]], began: float, end: float
) -> None:
    begins = [at for _, _, at, _ in marks]
    for (fault, name, at, done), until in zip(marks, [*begins[1:], end], strict=True):
        concerned = [x for x in stage.streams if fault.everywhere or x.name == name]
        rest = [x for x in stage.streams if x not in concerned]
        pages: dict[str, float] = {
            x.page.player: x.page.stalled_s(at, until) for x in concerned if x.page is not None
        }
        outcome.blows.append(
            Blow(
                fault.name,
                "all" if fault.everywhere else name,
                at - began,
                done - began,
                until - began,
                max(x.viewer.stalled_s(at, until) for x in concerned),
                max((_stalled_s(x, at, until) for x in rest), default=0.0),
                pages.get("hls"),
                pages.get("dash"),
                sum(min(e, until) - b for b, e in stage.downtime.spans if at <= b < until),
            )
        )
    for stream in stage.streams:
        viewer = stream.viewer
        outcome.parts += viewer.parts
        outcome.segments += len(viewer.digests)
        outcome.stalls += [
            (x.ended - began, x.length, "strict client")
            for x in viewer.stalls
            if x.ended < end and x.track in ("vsource", "asource")
        ]
        if stream.page is not None:
            outcome.stalls += [
                (at - began, s, f"{stream.page.player}.js") for at, s in stream.page.stalls if at < end
            ]
            if (open_s := end - stream.page.stands_since) > LASTING_S:
                outcome.stalls.append((end - began, open_s, f"{stream.page.player}.js"))
            said = f"{stream.page.player}.js showed that the server does not answer, while it was down"
            if times := stream.page.allowed(stage.downtime):
                outcome.waits[said] = outcome.waits.get(said, 0) + times
        for text, count in viewer.waits.items():
            outcome.waits[text] = outcome.waits.get(text, 0) + count
    outcome.down_s = list(stage.down_s)
