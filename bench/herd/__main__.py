"""The command line: see ``python -m bench.herd --help``."""

import argparse
import json
import os
import platform
import signal
import sys
from pathlib import Path

from rich.console import Console

from bench.herd.crowd import nice_number_of_processes
from bench.herd.report import show
from bench.herd.run import Options, run
from tests.lab.errors import LabError


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.herd", description="Many low-latency HLS viewers of one stream.")
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=180, help="with all viewers there")
    parser.add_argument("--ramp", type=float, default=10, help="seconds in which the viewers come")
    parser.add_argument("--via", choices=("nginx", "varnish", "origin"), default="nginx")
    parser.add_argument("--ladder", choices=("auto", "source"), default="auto")
    parser.add_argument("--part-target", help='such as "200ms"; the configuration\'s default without it')
    parser.add_argument("--switches", type=float, default=0.05, help="rendition switches of a viewer in a minute")
    parser.add_argument("--processes", type=int, default=nice_number_of_processes(), help="that viewers run in")
    parser.add_argument("--clip", type=Path, help="an FLV file to publish instead of the prepared one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results go")
    options = parser.parse_args(arguments)
    if min(options.viewers, options.seconds, options.processes) <= 0 or min(options.ramp, options.switches) < 0:
        parser.error("viewers, seconds and processes are above 0, ramp and switches not below it")
    return options


def main() -> int:
    chosen = parse()
    # What was started is ended, whichever way this ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    environment = {"HEADWATER_TRANSCODER__LADDER": chosen.ladder}
    if chosen.part_target is not None:
        environment["HEADWATER_PACKAGER__PART_TARGET"] = chosen.part_target
    options = Options(
        viewers=chosen.viewers,
        seconds=chosen.seconds,
        ramp=chosen.ramp,
        via=chosen.via,
        processes=chosen.processes,
        switches_per_minute=chosen.switches,
        clip=chosen.clip,
        environment=environment,
    )
    try:
        result = run(options)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    if chosen.json is not None:
        machine = {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()}
        settings = {"ladder": chosen.ladder, "part_target": chosen.part_target, "processes": chosen.processes}
        chosen.json.write_text(json.dumps({**result.as_json(), **settings, "machine": machine}, indent=2) + "\n")
    show(result, Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
