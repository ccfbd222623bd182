"""Glass-to-glass latency: see ``python -m bench.glass --help``."""

import argparse
import json
from typing import Any

from tests.lab.browser import chromium
from tests.lab.glass.scene import on_air
from tests.lab.players.findings import percentile
from tests.lab.players.network import Phase
from tests.lab.players.run import Run, play

PLAYERS = ("hls", "dash", "shaka")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.glass", description="Glass-to-glass latency.")
    parser.add_argument("--player", action="append", choices=PLAYERS, help="may be given again")
    parser.add_argument("--seconds", type=float, default=60, help="how long to measure")
    parser.add_argument("--settle", type=float, default=15, help="seconds of playback that are not counted")
    parser.add_argument(
        "--via", choices=["origin", "cache"], default="cache", help="directly, or nginx and Varnish"
    )
    parser.add_argument("--part", default="333ms", help="the part target")
    parser.add_argument("--ladder", help='the ladder: "source", or what the configuration takes; else its default')
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    config = f'[packager]\npart_target = "{arguments.part}"\n'
    if arguments.ladder:
        config += f'[transcoder]\nladder = "{arguments.ladder}"\n'
    phases = (Phase(arguments.settle, None), Phase(arguments.seconds, None))
    for player in arguments.player or PLAYERS:
        with on_air(config, cached=arguments.via == "cache") as base, chromium() as browser:
            found = figures(play(browser, base, player, phases))
        print(json.dumps(found) if arguments.json else as_text(found), flush=True)


def figures(run: Run) -> dict[str, Any]:
    """Figures of the run's last phase, in milliseconds, from samples of the picture on the screen."""
    since = run.spans[-1].start
    samples = [sample for sample in run.record.samples if sample.at >= since]
    glass = [1000 * sample.glass for sample in samples if sample.glass is not None]
    rates = [sample.rate for sample in samples]
    return {
        "player": run.player,
        "samples": len(glass),
        "unread": len(samples) - len(glass),
        "p50": percentile(glass, 0.5),
        "p95": percentile(glass, 0.95),
        "longest": max(glass, default=float("nan")),
        "page_p50": percentile([1000 * each.latency for each in samples if each.latency is not None], 0.5),
        "slowest_rate": min(rates),
        "fastest_rate": max(rates),
        "stalls": sum(stall.at >= since for stall in run.record.stalls),
        "errors": len(run.record.complaints),
    }


def as_text(found: dict[str, Any]) -> str:
    return (
        "{player}: glass to glass p50 {p50:.0f} ms, p95 {p95:.0f} ms, longest {longest:.0f} ms ({samples} samples, "
        "{unread} unreadable); the page reports {page_p50:.0f} ms; rate {slowest_rate:.3f} to {fastest_rate:.3f}, "
        "{stalls} stalls, {errors} errors"
    ).format(**found)


if __name__ == "__main__":
    main()
