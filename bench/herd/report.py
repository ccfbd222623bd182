"""The report on a run of the herd."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bench.herd.lateness import lateness, made_times
from bench.runner.distribution import Distribution, distribution
from tests.lab.viewers.record import Record

RESOURCES = ("master", "playlist", "init", "part")


@dataclass(frozen=True, slots=True)
class Share:
    """Counts while all viewers were present: answered requests of the viewers, distinct URLs answered for the first
    time, and requests that the origin answered (without the probe's)."""

    answered: int
    urls: int
    origin: int

    @property
    def per_url(self) -> float:
        return round(self.origin / self.urls, 4) if self.urls else 0.0

    @property
    def of_answered(self) -> float:
        return round(self.origin / self.answered, 5) if self.answered else 0.0


@dataclass(frozen=True, slots=True)
class Moment:
    """Counts at one moment of a run: the origin's, the probe's, and CPU seconds of each group of processes."""

    time: float
    origin: Counter[str]
    probe: Counter[str]
    cpu: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """``requests_per_second`` and ``cpu_cores`` are averages while all viewers were present, ``slowest_second`` is
    the fewest requests answered in a second of that time. ``loop_lag`` is the viewers', ``probe_lag`` the
    probe's."""

    viewers: int
    renditions: int
    via: str
    seconds: float
    requests: int
    requests_per_second: float
    slowest_second: int
    megabits_per_second: float
    errors: dict[str, int]
    probe_errors: dict[str, int]
    lateness_ms: Distribution
    loop_lag_ms: Distribution
    probe_lag_ms: Distribution
    switches: int
    misled_by_hints: int
    share: Share
    origin_requests: dict[str, int]
    cpu_cores: dict[str, float]

    def __str__(self) -> str:
        return f"{self.requests_per_second} requests a second, parts {self.lateness_ms.p99} ms late (p99)"


def report(
    viewers: int, renditions: int, via: str, records: tuple[Record, Record], moments: tuple[Moment, Moment]
) -> Report:
    """``records`` are the viewers' and the probe's; ``moments`` are when all viewers had arrived and when they
    left."""
    herd, probe = records
    first, last = moments
    elapsed = last.time - first.time
    whole_seconds = [herd.seconds[second] for second in range(int(first.time) + 1, int(last.time))]
    rate = sum(whole_seconds) / len(whole_seconds) if whole_seconds else 0.0
    urls = sum(first.time <= moment <= last.time for moment in herd.urls.values())
    origin = {kind: _between(first, last, kind) for kind in RESOURCES}
    return Report(
        viewers=viewers,
        renditions=renditions,
        via=via,
        seconds=round(elapsed, 1),
        requests=herd.requests.total(),
        requests_per_second=round(rate, 1),
        slowest_second=min(whole_seconds, default=0),
        megabits_per_second=round(herd.received_bytes * 8e-6 / elapsed, 1),
        errors=dict(herd.errors),
        probe_errors=dict(probe.errors),
        lateness_ms=distribution(lateness(herd.arrivals, made_times(probe, herd))),
        loop_lag_ms=distribution(herd.lag),
        probe_lag_ms=distribution(probe.lag),
        switches=herd.switches,
        misled_by_hints=herd.misled,
        share=Share(round(rate * elapsed), urls, sum(origin.values())),
        origin_requests=origin,
        cpu_cores={name: round((last.cpu[name] - cpu) / elapsed, 3) for name, cpu in first.cpu.items()},
    )


def _between(first: Moment, last: Moment, kind: str) -> int:
    return (last.origin[kind] - first.origin[kind]) - (last.probe[kind] - first.probe[kind])
