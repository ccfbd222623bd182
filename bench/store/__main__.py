"""The command line: see ``python -m bench.store --help``."""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.stage.command import add_common, carry_out
from bench.stage.results import Section
from bench.store.candidates import BUCKET, Candidate, on_disk, on_server
from bench.store.measure import KINDS, Kind, Turn, measure
from bench.store.outage import Outage, outage
from bench.store.section import section
from tests.lab.errors import LabError
from tests.lab.minio import MinioServer, minio, missing

SEGMENT_S = 2.0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.store", description="What storing costs.")
    parser.add_argument("--objects", type=int, default=200, help="of each kind in a turn; 0: none")
    parser.add_argument("--rounds", type=int, default=3, help="how often they take turns")
    parser.add_argument("--outage", type=_seconds, default=(5.0, 20.0, 60.0), help="such as 5,20: seconds")
    parser.add_argument("--no-outage", action="store_const", dest="outage", const=())
    parser.add_argument("--directory", type=Path, help="where the directory store writes instead of the temp dir")
    add_common(parser, smoke="a few objects")
    options = parser.parse_args(arguments)
    options.segment_s = SEGMENT_S
    if options.smoke:
        options.objects, options.rounds, options.outage, options.segment_s = 4, 1, (0.5,), 0.25
    if options.objects < 0 or options.rounds < 1 or not (options.objects or options.outage):
        parser.error("there is nothing to measure")
    return options


def main() -> int:
    return carry_out(run, parse())


def run(options: argparse.Namespace) -> Section:
    """Raises LabError."""
    notes = []
    outages: list[Outage] = []
    turns: dict[Kind, dict[str, list[Turn]]] = {}
    with tempfile.TemporaryDirectory(prefix="headwater-store-", dir=options.directory) as directory:
        disk = on_disk(Path(directory))
        if trouble := missing():
            notes.append(trouble)
            turns = _turns(disk, options)
        else:
            with minio() as server:
                server.account.sdk().make_bucket(bucket_name=BUCKET)
                turns = _turns(on_server(server.account) | disk, options)
                outages = _outages(server, options)
    if not turns and not outages:
        raise LabError(notes[0])
    away = ",".join(f"{each:g}" for each in options.outage)
    outage_words = f"--outage {away}" if away else "--no-outage"
    same = f"--objects {options.objects} --rounds {options.rounds}"
    return section(turns, outages, f"python -m bench.store {same} {outage_words}", same, notes, small=options.smoke)


def _turns(candidates: Mapping[str, Candidate], options: argparse.Namespace) -> dict[Kind, dict[str, list[Turn]]]:
    found: dict[Kind, dict[str, list[Turn]]] = {}
    for kind in KINDS if options.objects else ():
        for _ in range(options.rounds):
            for name, candidate in candidates.items():
                turn = measure(candidate, kind, options.objects)
                found.setdefault(kind, {}).setdefault(name, []).append(turn)
                print(f"{kind.name}, {name}: {1000 * turn.cpu / turn.objects:.3f} ms of CPU", flush=True)
    return found


def _outages(server: MinioServer, options: argparse.Namespace) -> list[Outage]:
    found = []
    for seconds in options.outage:
        found.append(after := outage(server, seconds, options.segment_s))
        print(f"{after.away:.1f} s away: {after.segments} segments stored after {after.drained:.2f} s", flush=True)
    return found


def _seconds(text: str) -> tuple[float, ...]:
    seconds = tuple(float(part) for part in text.split(","))
    if min(seconds) <= 0:
        raise argparse.ArgumentTypeError("an outage is longer than 0 s")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
