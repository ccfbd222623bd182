"""The delay from a picture to the screen: see ``python -m bench.glass --help``."""

import argparse
import json

from tests.lab.glass.run import Plan, measure


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.glass", description="Latency from glass to glass.")
    parser.add_argument("--player", action="append", choices=["hls", "dash", "shaka"], help="may be given again")
    parser.add_argument("--seconds", type=float, default=60, help="how long is measured")
    parser.add_argument("--settle", type=float, default=15, help="seconds of playing that are not counted")
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
    for player in arguments.player or ["hls", "dash", "shaka"]:
        figures = measure(
            Plan(
                player=player,
                seconds=arguments.seconds,
                settle=arguments.settle,
                cached=arguments.via == "cache",
                config=config,
            )
        )
        print(json.dumps(figures.as_json()) if arguments.json else figures.as_text(), flush=True)


if __name__ == "__main__":
    main()
