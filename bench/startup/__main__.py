"""The command line: see ``python -m bench.startup --help``."""

import argparse
import sys
from pathlib import Path

from bench.stage.command import add_common, carry_out
from bench.stage.results import Section
from bench.startup import picture, playlists, server
from bench.startup.section import section
from tests.lab.footage import usual_clip

SMOKE_ON_AIR_S = 4.0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.startup", description="How long it takes until something is there.")
    parser.add_argument("--runs", type=int, default=7, help="of each")
    add_common(parser, smoke="one run")
    options = parser.parse_args(arguments)
    options.on_air, options.players = picture.ON_AIR_S, picture.PLAYERS
    if options.smoke:
        options.runs, options.on_air, options.players = 1, SMOKE_ON_AIR_S, picture.PLAYERS[:1]
    if options.runs < 1:
        parser.error("there is at least one run")
    return options


def main() -> int:
    return carry_out(run, parse())


def run(options: argparse.Namespace) -> Section:
    """Raises LabError."""
    source = usual_clip(smoke=options.smoke)
    starts = [server.measure() for _ in range(options.runs)]
    firsts = [playlists.measure(mode, source) for _ in range(options.runs) for mode in playlists.MODES]
    notes = [trouble] if (trouble := picture.missing()) else []
    pictures = {} if notes else _pictures(source, options)
    command = f"python -m bench.startup --runs {options.runs}"
    return section(starts, firsts, pictures, command, notes, small=options.smoke)


def _pictures(source: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {player: [] for player in options.players}
    with picture.viewer(source, options.on_air) as (browser, page):
        for _ in range(options.runs):
            for player, taken in found.items():
                taken.append(picture.first_picture(browser, page, player))
    return found


if __name__ == "__main__":
    sys.exit(main())
