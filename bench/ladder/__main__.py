"""The command line: see ``python -m bench.ladder --help``."""

import argparse
import math
import sys
from pathlib import Path

from bench.ladder.candidates import CANDIDATES, FFMPEG, HEADWATER
from bench.ladder.case import FPS, GOP_S, SOURCE_KBPS, Case
from bench.ladder.measure import Measured, measure, other_point
from bench.ladder.section import Compared, section
from bench.stage.command import add_common, carry_out
from bench.stage.results import Section
from tests.lab.footage import clip
from transcoder.options import LatencyMode, Preset

# The clip goes on this long after what is counted.
SPARE_S = 4
# The second point of ffmpeg's line from bits to quality.
OTHER_SHARE = 0.9


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.ladder", description="What renditions cost, and how good they are.")
    parser.add_argument("--seconds", type=float, default=40, help="that are counted and compared")
    parser.add_argument("--warm-up", type=float, default=8, help="seconds before them")
    parser.add_argument("--rounds", type=int, default=3, help="how often the sides take turns")
    parser.add_argument("--latency", type=_latencies, default=tuple(LatencyMode), help="low, normal or low,normal")
    parser.add_argument("--preset", type=Preset, default=Preset.VERYFAST, help="libx264's, for both")
    parser.add_argument("--sides", type=_sides, default=tuple(CANDIDATES), help=", ".join(CANDIDATES))
    add_common(parser, smoke="some seconds only")
    options = parser.parse_args(arguments)
    if options.smoke:
        options.seconds, options.warm_up, options.rounds = 1.0, 4.0, 1
        options.latency, options.sides = (LatencyMode.LOW,), (HEADWATER, FFMPEG)
    if min(options.seconds, options.rounds) <= 0 or options.warm_up < GOP_S:
        parser.error(f"seconds and rounds are above 0, the warm-up at least {GOP_S} s")
    return options


def main() -> int:
    return carry_out(run, parse())


def run(options: argparse.Namespace) -> Section:
    """Raises LabError."""
    length = math.ceil(options.warm_up + options.seconds) + SPARE_S
    source = clip(video_kbps=SOURCE_KBPS, seconds=length, fps=FPS, gop_s=GOP_S)
    found = [_compare(Case(latency, options.preset), source, options) for latency in options.latency]
    return section(found, command(options), (), small=options.smoke)


def command(options: argparse.Namespace) -> str:
    latencies, sides = ",".join(options.latency), ",".join(options.sides)
    return (
        f"python -m bench.ladder --seconds {options.seconds:g} --warm-up {options.warm_up:g} "
        f"--rounds {options.rounds} --preset {options.preset} --sides {sides} --latency {latencies}"
    )


def _compare(case: Case, source: Path, options: argparse.Namespace) -> Compared:
    rounds = [_turn(case, source, options, look=number == 0) for number in range(options.rounds)]
    other = other_point(case, source, options.warm_up, options.seconds, OTHER_SHARE)
    return Compared(case.latency, rounds, other)


def _turn(case: Case, source: Path, options: argparse.Namespace, *, look: bool) -> dict[str, Measured]:
    found = {}
    for side in options.sides:
        found[side] = measured = measure(
            CANDIDATES[side], case, source, options.warm_up, options.seconds, look=look
        )
        print(
            f"{side}, {case.latency} latency: {measured.cpu_share:.3f} CPU seconds of a stream-second", flush=True
        )
    return found


def _latencies(text: str) -> tuple[LatencyMode, ...]:
    return tuple(LatencyMode(part) for part in text.split(","))


def _sides(text: str) -> tuple[str, ...]:
    sides = tuple(text.split(","))
    if unknown := set(sides) - CANDIDATES.keys():
        raise argparse.ArgumentTypeError(f"no such side: {', '.join(sorted(unknown))}")
    return sides


if __name__ == "__main__":
    sys.exit(main())
