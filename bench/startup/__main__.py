"""The command line: see ``python -m bench.startup --help``."""

import argparse
import signal
import sys
from pathlib import Path

from bench.stage.errors import BenchError
from bench.stage.footage import clip
from bench.stage.results import save
from bench.stage.tables import show
from bench.startup import picture, playlists, server
from bench.startup.section import section

VIDEO_KBPS = 4000
# A whole number of AAC frames too, so that the sound goes on evenly from turn to turn.
CLIP_S, SMOKE_CLIP_S = 16, 8
SMOKE_ON_AIR_S = 4.0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench.startup", description="How long it takes until something is there.")
    parser.add_argument("--runs", type=int, default=7, help="of each")
    parser.add_argument("--smoke", action="store_true", help="one run: only proves that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the result goes instead of bench/results")
    options = parser.parse_args(arguments)
    options.on_air, options.players = picture.ON_AIR_S, picture.PLAYERS
    if options.smoke:
        options.runs, options.on_air, options.players = 1, SMOKE_ON_AIR_S, picture.PLAYERS[:1]
    if options.runs < 1:
        parser.error("there is at least one run")
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
    source = clip(video_kbps=VIDEO_KBPS, seconds=SMOKE_CLIP_S if options.smoke else CLIP_S)
    starts = [server.measure() for _ in range(options.runs)]
    firsts = [playlists.measure(mode, source) for _ in range(options.runs) for mode in playlists.MODES]
    notes = [trouble] if (trouble := picture.missing()) else []
    pictures = {} if notes else _pictures(source, options)
    command = f"python -m bench.startup --runs {options.runs}"
    result = section(starts, firsts, pictures, command, notes, small=options.smoke)
    show(result)
    save(result, options.json)


def _pictures(source: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {player: [] for player in options.players}
    with picture.viewer(source, options.on_air) as (browser, page):
        for _ in range(options.runs):
            for player, taken in found.items():
                taken.append(picture.first_picture(browser, page, player))
    return found


if __name__ == "__main__":
    sys.exit(main())
