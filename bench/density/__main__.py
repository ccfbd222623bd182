"""The command line: see ``python -m bench.density --help``."""

import argparse
import sys
from pathlib import Path

from bench.density.candidates import CANDIDATES, Candidate
from bench.density.measure import Load, Measured, measure
from bench.density.section import Round, section
from bench.stage.command import add_common, carry_out
from bench.stage.results import Section
from tests.lab.errors import LabError
from tests.lab.footage import usual_clip


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.density", description="What taking and writing a broadcast costs.")
    parser.add_argument("--publishers", type=_counts, default=(10, 50, 100, 200), help="such as 10,50")
    parser.add_argument("--seconds", type=float, default=60, help="that are counted")
    parser.add_argument("--warm-up", type=float, default=15, help="seconds before them")
    parser.add_argument("--rounds", type=int, default=2, help="how often the servers take turns")
    parser.add_argument("--only", choices=tuple(CANDIDATES), help="one server alone")
    parser.add_argument("--clip", type=Path, help="an FLV file to publish instead of the prepared one")
    add_common(parser, smoke="two publishers for some seconds")
    options = parser.parse_args(arguments)
    if options.smoke:
        options.publishers, options.seconds, options.warm_up, options.rounds = (2,), 3.0, 1.0, 1
    if min(options.seconds, options.rounds) <= 0 or options.warm_up < 0:
        parser.error("seconds and rounds are above 0, the warm-up not below it")
    return options


def main() -> int:
    return carry_out(run, parse())


def run(options: argparse.Namespace) -> Section:
    """Raises LabError."""
    source = options.clip or usual_clip(smoke=options.smoke)
    asked = {name: candidate for name, candidate in CANDIDATES.items() if options.only in (None, name)}
    troubles = {name: trouble for name, candidate in asked.items() if (trouble := candidate.missing())}
    candidates = {name: candidate for name, candidate in asked.items() if name not in troubles}
    notes = tuple(troubles.values())
    if not candidates:
        raise LabError("; ".join(notes))
    rounds = [
        Round(publishers, _turns(candidates, Load(publishers, options.seconds, options.warm_up, source)))
        for publishers in options.publishers
        for _ in range(options.rounds)
    ]
    same = f"--seconds {options.seconds:g} --warm-up {options.warm_up:g} --rounds {options.rounds}"
    counts = ",".join(map(str, options.publishers))
    return section(
        rounds, f"python -m bench.density --publishers {counts} {same}", same, notes, small=options.smoke
    )


def _turns(candidates: dict[str, Candidate], load: Load) -> dict[str, Measured]:
    found = {}
    for name, candidate in candidates.items():
        found[name] = measured = measure(candidate, load)
        share, late = measured.cpu_share, measured.sent.late_ms
        print(
            f"{name}, {load.publishers} publishers: {100 * share.total:.3f} % of a core a stream "
            f"(user {100 * share.user:.3f}, system {100 * share.system:.3f}); the publishers' frames were up to "
            f"{max(late, default=0)} ms late",
            flush=True,
        )
    return found


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(int(part) for part in text.split(","))
    if min(counts) < 1:
        raise argparse.ArgumentTypeError("at least one publisher")
    return counts


if __name__ == "__main__":
    sys.exit(main())
