"""The command line: see ``python -m bench.delay --help``."""

import argparse
import sys
from pathlib import Path

from bench.delay.candidates import ENCODING, HEADWATER, LADDERS, MEDIAMTX, REMUXING, Candidate
from bench.delay.measure import Load, measure
from bench.delay.section import Round, section
from bench.stage.command import add_common, carry_out
from bench.stage.distribution import distribution
from bench.stage.mediamtx import missing
from bench.stage.results import Section
from tests.lab.errors import LabError
from tests.lab.footage import usual_clip


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.delay", description="How long a viewer waits for what was sent.")
    parser.add_argument("--streams", type=_counts, help="handed on as they are; 1,10,50 if nothing is named")
    parser.add_argument("--encoded", type=_counts, help="with a ladder; 1 if nothing is named")
    parser.add_argument("--seconds", type=float, default=60, help="that are counted")
    parser.add_argument("--warm-up", type=float, default=8, help="seconds before them")
    parser.add_argument("--rounds", type=int, default=2, help="how often the servers take turns")
    parser.add_argument("--only", choices=(HEADWATER, ENCODING, MEDIAMTX), help="one server alone")
    parser.add_argument("--clip", type=Path, help="an FLV file to publish instead of the prepared one")
    add_common(parser, smoke="one stream, some seconds")
    options = parser.parse_args(arguments)
    if options.smoke:
        options.streams, options.encoded = (1,), ()
        options.seconds, options.warm_up, options.rounds = 3.0, 2.5, 1
    elif options.streams is None and options.encoded is None:
        options.streams, options.encoded = (1, 10, 50), (1,)
    if min(options.seconds, options.rounds) <= 0 or options.warm_up < 0:
        parser.error("seconds and rounds are above 0, the warm-up not below it")
    return options


def main() -> int:
    return carry_out(run, parse())


def run(options: argparse.Namespace) -> Section:
    """Raises LabError."""
    source = options.clip or usual_clip(smoke=options.smoke)
    notes = []
    skipped = missing()
    if skipped and options.streams and options.only in (None, MEDIAMTX):
        notes.append(skipped)
    rounds = []
    asked = (("--streams", options.streams, REMUXING), ("--encoded", options.encoded, LADDERS))
    for option, counts, candidates in asked:
        present = {
            name: candidate
            for name, candidate in candidates.items()
            if options.only in (None, name) and not (name == MEDIAMTX and skipped)
        }
        for count in counts or ():
            load = Load(count, options.seconds, options.warm_up, source)
            for _ in range(options.rounds):
                rounds += [_turn(name, candidate, option, load) for name, candidate in present.items()]
    if not rounds:
        raise LabError("; ".join(notes) or "there is nobody to measure")
    same = f"--seconds {options.seconds:g} --warm-up {options.warm_up:g} --rounds {options.rounds}"
    named = (f"{option} {','.join(map(str, counts))}" for option, counts, _ in asked if counts)
    return section(rounds, f"python -m bench.delay {' '.join(named)} {same}", same, notes, small=options.smoke)


def _turn(name: str, candidate: Candidate, option: str, load: Load) -> Round:
    measured = measure(candidate, load)
    for rendition, delays in measured.delays.items():
        first = distribution(delays.first_byte)
        print(
            f"{name}, {load.streams} streams, {rendition}: first byte p50 {first.p50} ms, p99 {first.p99} ms of "
            f"{first.count} parts; the server took {measured.server_cpu:.1%} of a core",
            flush=True,
        )
    return Round(load.streams, name, option, measured)


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(int(part) for part in text.split(","))
    if min(counts) < 1:
        raise argparse.ArgumentTypeError("at least one stream")
    return counts


if __name__ == "__main__":
    sys.exit(main())
