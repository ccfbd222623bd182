"""The command line: see ``python -m bench.density --help``."""

import argparse
import signal
import sys
from pathlib import Path

from bench.density.candidates import CANDIDATES, NGINX, Candidate
from bench.density.measure import Load, Measured, measure
from bench.density.section import Round, section
from bench.stage.errors import BenchError
from bench.stage.footage import clip
from bench.stage.nginx_rtmp import missing
from bench.stage.results import save
from bench.stage.tables import show

VIDEO_KBPS = 4000
# A whole number of AAC frames too, so that the sound goes on evenly from turn to turn.
CLIP_S, SMOKE_CLIP_S = 16, 8


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.density", description="What taking and writing a broadcast costs.")
    parser.add_argument("--publishers", type=_counts, default=(10, 50, 100, 200), help="such as 10,50")
    parser.add_argument("--seconds", type=float, default=60, help="that are counted")
    parser.add_argument("--warm-up", type=float, default=15, help="seconds before them")
    parser.add_argument("--rounds", type=int, default=2, help="how often the servers take turns")
    parser.add_argument("--only", choices=tuple(CANDIDATES), help="one server alone")
    parser.add_argument("--clip", type=Path, help="an FLV file to publish instead of the prepared one")
    parser.add_argument(
        "--smoke", action="store_true", help="two publishers for some seconds: only proves that it runs"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the result goes instead of bench/results")
    options = parser.parse_args(arguments)
    if options.smoke:
        options.publishers, options.seconds, options.warm_up, options.rounds = (2,), 3.0, 1.0, 1
    if min(options.seconds, options.rounds) <= 0 or options.warm_up < 0:
        parser.error("seconds and rounds are above 0, the warm-up not below it")
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
    candidates = {name: candidate for name, candidate in CANDIDATES.items() if options.only in (None, name)}
    notes = []
    if NGINX in candidates and (trouble := missing()):
        notes.append(trouble)
        del candidates[NGINX]
    rounds = [
        Round(publishers, _turns(candidates, Load(publishers, options.seconds, options.warm_up, source)))
        for publishers in options.publishers
        for _ in range(options.rounds)
    ]
    same = f"--seconds {options.seconds:g} --warm-up {options.warm_up:g} --rounds {options.rounds}"
    counts = ",".join(map(str, options.publishers))
    result = section(
        rounds, f"python -m bench.density --publishers {counts} {same}", same, notes, small=options.smoke
    )
    show(result)
    save(result, options.json)


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
