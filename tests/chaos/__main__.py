"""Causes faults on a server with publishers and viewers, in random order, and judges what viewers saw.

python -m tests.chaos                           four streams, ten minutes, a seed by chance
python -m tests.chaos --seed 7 --minutes 2      the same order and victims again
python -m tests.chaos --only blip kill-server   some faults alone
python -m tests.chaos --write                   also writes the figures into docs/reliability.md
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.chaos.faults.catalogue import FAULTS
from tests.chaos.report import as_text, write
from tests.chaos.run import Plan, run


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10_000), help="order and victims")
    parser.add_argument("--minutes", type=float, default=10, help="how long faults are caused")
    parser.add_argument("--streams", type=int, choices=(1, 2, 3, 4), default=4)
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=[], help="cause these faults alone")
    parser.add_argument("--no-browser", action="store_true", help="without the players in Chromium")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    parser.add_argument("--keep", type=Path, help="a folder for the server's files, which is kept")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    plan = Plan(options.seed, options.minutes * 60, options.streams, not options.no_browser, options.only)
    with tempfile.TemporaryDirectory(prefix="headwater-chaos-") as folder:
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
        outcome = asyncio.run(run(plan, options.keep or Path(folder)))
    print(as_text(outcome), flush=True)
    if options.write:
        write(outcome, " ".join(sys.argv[1:]))
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
