"""The command line: see ``python -m bench.origin --help``."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.origin.broadcast import Broadcast, Kind, on_air
from bench.origin.burst import Burst, missing
from bench.origin.candidates import Candidate, candidates
from bench.origin.crowd import Asking, Plan, crowd
from bench.origin.measure import WAITING_TIMES, Load, Measured, measure
from bench.origin.section import section
from bench.stage.command import add_common, carry_out
from bench.stage.results import Section
from tests.lab.footage import usual_clip

# All servers of a round are asked for the same bytes, which leave the window's memory at some time.
LONGEST_S = 2


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.origin", description="What a CPU second of the origin serves.")
    parser.add_argument("--kinds", type=_kinds, default=tuple(Kind), help="such as segment,part")
    parser.add_argument(
        "--seconds",
        type=int,
        default=LONGEST_S,
        help=f"of a burst, at most {LONGEST_S}; where requests wait it is {WAITING_TIMES} times that",
    )
    parser.add_argument("--rounds", type=int, default=6, help="how often the servers take turns")
    parser.add_argument("--connections", type=int, default=16, help="that ask for what is there")
    parser.add_argument("--waiting", type=int, default=400, help="that wait for what is next")
    parser.add_argument("--clip", type=Path, help="an FLV file to publish instead of the prepared one")
    add_common(parser, smoke="a second for each")
    options = parser.parse_args(arguments)
    if options.smoke:
        options.seconds, options.rounds, options.waiting = 1, 1, 20
    if min(options.rounds, options.connections, options.waiting) <= 0 or not 0 < options.seconds <= LONGEST_S:
        parser.error(f"rounds and connections are above 0, and seconds from 1 to {LONGEST_S}")
    return options


def main() -> int:
    return carry_out(run, parse())


def run(options: argparse.Namespace) -> Section:
    """Raises LabError."""
    source = options.clip or usual_clip(smoke=options.smoke)
    notes = []
    trouble = missing()
    if trouble:
        notes.append(trouble)
    load = Load(options.seconds, options.connections, options.waiting, with_wrk=trouble is None)
    found: dict[Kind, list[dict[str, Measured]]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="headwater-origin-") as directory,
        on_air(Path(directory), source) as broadcast,
        candidates(Path(directory), broadcast, notes) as servers,
        crowd() as ask,
    ):
        for kind in options.kinds:
            for _ in range(options.rounds):
                found.setdefault(kind, []).append(_turns(broadcast, servers, kind, load, ask))
    same = f"--seconds {options.seconds} --rounds {options.rounds}"
    same += f" --connections {options.connections} --waiting {options.waiting}"
    return section(found, f"python -m bench.origin {same}", same, notes, small=options.smoke)


def _turns(
    broadcast: Broadcast,
    servers: Mapping[str, Candidate],
    kind: Kind,
    load: Load,
    ask: Callable[[Asking, Plan], Burst],
) -> dict[str, Measured]:
    found = {}
    path = broadcast.hot(kind)
    for name, server in servers.items():
        if kind in server.kinds:
            found[name] = measured = measure(broadcast, server, kind, path, load, ask)
            print(
                f"{name}, {kind.value}: {measured.requests_per_cpu_second:.0f} requests a CPU second, "
                f"{measured.burst.requests / measured.burst.seconds:.0f} a second",
                flush=True,
            )
    return found


def _kinds(text: str) -> tuple[Kind, ...]:
    try:
        return tuple(map(Kind, text.split(",")))
    except ValueError as error:
        known = ", ".join(kind.value for kind in Kind)
        raise argparse.ArgumentTypeError(f"{error}; there are {known}") from error


if __name__ == "__main__":
    sys.exit(main())
