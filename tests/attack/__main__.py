"""Attacks a server that is started for it, and prints what each attack costs the others.

python -m tests.attack                       every attack for ten seconds
python -m tests.attack --only half-requests  one, or several
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.attack.attacks.catalogue import ATTACKS, NEED_CACHE
from tests.attack.stage import MAX_GROWTH, Outcome, prepared
from tests.lab.front import has_nginx

MAX_HEALTH_S = 0.25
HEADINGS = f"{'attack':26} {'grown':>9} {'/healthz p99':>13} {'slowest':>9} {'parts':>6}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ATTACKS), help="run these attacks alone")
    parser.add_argument("--seconds", type=float, default=10, help="how long each lasts")
    options = parser.parse_args()
    print(HEADINGS, flush=True)
    passed = True
    for name in options.only or ATTACKS:
        if name in NEED_CACHE and not has_nginx():
            print(f"{name:26} skipped: nginx, its Lua module or varnish is not installed")
            continue
        lost: list[str] = []
        with (
            tempfile.TemporaryDirectory(prefix="headwater-attack-") as folder,
            prepared(Path(folder), lost, cached=name in NEED_CACHE) as stage,
        ):
            outcome = stage.run(name, options.seconds)
        found = [*complaints(outcome), *lost]
        print(as_text(outcome, found), flush=True)
        passed = passed and not found
    return 0 if passed else 1


def as_text(outcome: Outcome, found: Sequence[str]) -> str:
    figures = (
        f"{outcome.name:26} {outcome.grown / 2**20:5.1f} MiB {1000 * outcome.health_p99:10.0f} ms "
        f"{1000 * outcome.health_slowest:6.0f} ms {outcome.parts:6}"
    )
    return "\n".join([figures, *(f"  {text}" for text in found)])


def complaints(outcome: Outcome) -> list[str]:
    """What the attack must not do."""
    found = list(outcome.failures)
    if outcome.grown > MAX_GROWTH:
        found.append(f"the memory grew by {outcome.grown >> 20} MiB")
    if outcome.health_p99 > MAX_HEALTH_S:
        found.append(f"the health check took {1000 * outcome.health_p99:.0f} ms at p99")
    return found


if __name__ == "__main__":
    sys.exit(main())
