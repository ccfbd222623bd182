"""Plays each player for three minutes on a network that slows down: see ``python -m bench.players --help``."""

import argparse
import json
import sys
from collections.abc import Sequence

from bench.glass import PLAYERS
from tests.lab.browser import chromium
from tests.lab.glass.scene import on_air
from tests.lab.players.findings import Findings, Spread, find
from tests.lab.players.network import Phase
from tests.lab.players.recorder import Sample
from tests.lab.players.run import play
from tests.lab.players.verdict import Criterion, judge

SEGMENT_S = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.players", description="Players on a network that slows down for a while."
    )
    parser.add_argument("--player", choices=[*PLAYERS, "all"], default="all")
    parser.add_argument(
        "--seconds", type=float, default=180, help="how long each plays; throttled for a third of it"
    )
    parser.add_argument("--kbps", type=int, default=2000, help="bandwidth of the throttled network")
    parser.add_argument("--part", default="333ms", help="the part target")
    parser.add_argument(
        "--via", choices=["origin", "cache"], default="cache", help="directly, or as docker/ has it"
    )
    parser.add_argument(
        "--timeline", action="store_true", help="print the rendition, latency and playback rate every second"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    third = arguments.seconds / 3
    phases = (Phase(third, None), Phase(third, arguments.kbps), Phase(third, None))
    passed = True
    with on_air(f'[packager]\npart_target = "{arguments.part}"\n', cached=arguments.via == "cache") as base:
        for player in PLAYERS if arguments.player == "all" else [arguments.player]:
            with chromium() as browser:
                found = find(play(browser, base, player, phases))
            verdict = judge(found, SEGMENT_S)
            passed = passed and all(criterion.held for criterion in verdict)
            print(as_json(found, verdict) if arguments.json else as_text(found, verdict), flush=True)
            if arguments.timeline and not arguments.json:
                print("\n".join(map(as_line, found.timeline)), flush=True)
    return 0 if passed else 1


def as_json(found: Findings, verdict: Sequence[Criterion]) -> str:
    criteria = [{"name": each.name, "held": each.held, "words": each.words} for each in verdict]
    return json.dumps({**found.as_json(), "verdict": criteria})


def as_text(found: Findings, verdict: Sequence[Criterion]) -> str:
    target = "" if found.target is None else f" (target {found.target:.2f} s)"
    first = "" if found.first_latency is None else f", {found.first_latency:.2f} s behind{target}"
    lines = [f"{found.player}: plays after {found.started:.1f} s{first}"]
    lines += [f"  {at:6.1f} s  {height}p" for at, height in found.rungs]
    for part in found.parts:
        network = "no limit" if part.kbps is None else f"{part.kbps} kbit/s"
        lines.append(
            f"  {network} from {part.start:.0f} s to {part.end:.0f} s: the player reports {_spread(part.latency)}; "
            f"glass to glass {_spread(part.glass)}"
        )
    lines += [f"  {'pass' if each.held else 'FAIL'}  {each.name}: {each.words}" for each in verdict]
    return "\n".join(lines)


def _spread(spread: Spread) -> str:
    return f"p50 {spread.p50:.2f} s, p95 {spread.p95:.2f} s"


def as_line(sample: Sample) -> str:
    seconds = ["    -" if value is None else f"{value:5.2f}" for value in (sample.latency, sample.glass)]
    return (
        f"  {sample.at:6.1f} s  {sample.height:4}p  at {sample.rate:.3f}  {sample.buffered:5.2f} s buffered  "
        f"player reports {seconds[0]} s, glass {seconds[1]} s"
    )


if __name__ == "__main__":
    sys.exit(main())
