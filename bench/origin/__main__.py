"""The command line: see ``python -m bench.origin --help``."""

import argparse
import signal
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
from bench.stage.errors import BenchError
from bench.stage.footage import clip
from bench.stage.results import save
from bench.stage.tables import show

VIDEO_KBPS = 4000
# A whole number of AAC frames too, so that the sound goes on evenly from turn to turn.
CLIP_S, SMOKE_CLIP_S = 16, 8
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
    parser.add_argument("--smoke", action="store_true", help="a second for each: only proves that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the result goes instead of bench/results")
    options = parser.parse_args(arguments)
    if options.smoke:
        options.seconds, options.rounds, options.waiting = 1, 1, 20
    if min(options.rounds, options.connections, options.waiting) <= 0 or not 0 < options.seconds <= LONGEST_S:
        parser.error(f"rounds and connections are above 0, and seconds from 1 to {LONGEST_S}")
    return options


def main() -> int:
    options = parse()
    # What was started is ended, whichever way this ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(options)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace) -> None:
    """Raises BenchError."""
    source = options.clip or clip(video_kbps=VIDEO_KBPS, seconds=SMOKE_CLIP_S if options.smoke else CLIP_S)
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
    result = section(found, f"python -m bench.origin {same}", same, notes, small=options.smoke)
    show(result)
    save(result, options.json)


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
