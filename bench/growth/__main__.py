"""The command line: see ``python -m bench.growth --help``."""

import argparse
import sys

from bench.growth import hour, windows
from bench.growth.section import section
from bench.stage.command import add_common, carry_out
from bench.stage.results import Section
from media.quantities import Duration
from tests.lab.footage import usual_clip

WINDOWS = "1m/1m,1h/1m,12h/1m,all/1m,1h/1h"
# How much longer than its window a broadcast is, and how much of its end is looked at.
OVER_S, MEASURED_S = 600, 300
EVERY_S, WARM_UP_S = 30.0, 180.0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.growth", description="What grows with time, and with the DVR window.")
    parser.add_argument("--minutes", type=float, default=60, help="of constant load; 0: none")
    parser.add_argument("--publishers", type=int, default=4)
    parser.add_argument("--warm-up", type=float, default=WARM_UP_S, help="seconds before them")
    parser.add_argument(
        "--windows",
        type=_windows,
        default=_windows(WINDOWS),
        help=f"DVR window/what playlists list, such as {WINDOWS}; or none",
    )
    parser.add_argument("--hours", type=float, default=12, help="of the simulated broadcast that keeps all of it")
    add_common(parser, smoke="some seconds")
    options = parser.parse_args(arguments)
    options.every, options.over, options.measured = EVERY_S, OVER_S, MEASURED_S
    if options.smoke:
        options.minutes, options.publishers, options.warm_up, options.every = 0.05, 1, 1.0, 0.5
        options.windows, options.hours, options.over, options.measured = _windows("1m/20s,all/20s"), 0.1, 60, 20
    if options.publishers < 1 or min(options.minutes, options.warm_up, options.hours) < 0:
        parser.error("there is nothing to measure")
    return options


def main() -> int:
    return carry_out(run, parse())


def run(options: argparse.Namespace) -> Section:
    """Raises LabError."""
    costs = [_window(case) for case in _cases(options)]
    found = _hour(options) if options.minutes else None
    load = f"--minutes {options.minutes:g} --publishers {options.publishers} --warm-up {options.warm_up:g}"
    listed = ",".join(f"{_option(dvr)}/{_option(playlist)}" for dvr, playlist in options.windows) or "none"
    command = f"python -m bench.growth {load} --windows {listed} --hours {options.hours:g}"
    alone = f"python -m bench.growth {load} --windows none"
    return section(found, costs, command, alone, (), small=options.smoke)


def _cases(options: argparse.Namespace) -> list[windows.Case]:
    return [
        windows.Case(
            dvr, playlist, round(3600 * options.hours) if dvr is None else dvr + options.over, options.measured
        )
        for dvr, playlist in options.windows
    ]


def _window(case: windows.Case) -> windows.Cost:
    cost = windows.measure(case)
    print(
        f"window {_option(case.dvr)}, playlists of {_option(case.playlist)}, {case.length} s: "
        f"{cost.total:.3f} ms a segment, {cost.entries} entries in {cost.memory / 2**20:.2f} MiB",
        flush=True,
    )
    return cost


def _hour(options: argparse.Namespace) -> hour.Hour:
    source = usual_clip(smoke=options.smoke)
    load = hour.Load(options.publishers, 60 * options.minutes, options.warm_up, options.every, source)
    return hour.measure(load)


def _windows(text: str) -> tuple[tuple[int | None, int], ...]:
    if text == "none":
        return ()
    pairs = (part.partition("/") for part in text.split(","))
    return tuple((None if dvr == "all" else _seconds(dvr), _seconds(playlist)) for dvr, _, playlist in pairs)


def _seconds(text: str) -> int:
    try:
        return round(Duration(at_least=1).parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _option(seconds: int | None) -> str:
    return "all" if seconds is None else f"{seconds}s"


if __name__ == "__main__":
    sys.exit(main())
