"""Publishes bad streams to a real server, and prints each seed whose broadcast is not what viewers should get.

python -m tests.torture --seed 4711          one seed, or several
python -m tests.torture --seeds 1000         a thousand, from --start on
python -m tests.torture --hours 3            as many as fit into three hours
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, islice
from pathlib import Path

from tests.lab.server import serving
from tests.torture.runner import CONFIG, Result, Runner

CONCURRENT = 16


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", help="run these seeds alone")
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--hours", type=float, help="run for so many hours instead")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--at-once", type=int, default=CONCURRENT, help="how many publishers at once")
    parser.add_argument("--keep", type=Path, help="keep the server's files in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headwater-torture-") as name:
        folder = options.keep or Path(name)
        with serving(folder / "data", config=CONFIG) as server:
            runner = Runner(server, Path(name) / "clips", concurrent=options.at_once)
            report, failures = Report(), ["interrupted"]
            with suppress(KeyboardInterrupt):
                failures = asyncio.run(runner.run(_seeds(options), report.add))
    return report.summary(failures)


def _seeds(options: argparse.Namespace) -> Iterator[int]:
    if options.seed is not None:
        return iter(options.seed)
    seeds = count(options.start)
    if options.hours is None:
        return islice(seeds, options.seeds)
    end = time.monotonic() + options.hours * 3600
    return (seed for seed in iter(lambda: next(seeds) if time.monotonic() < end else -1, -1))


class Report:
    """Prints each failure as it happens, and a summary."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[Result] = []
        self._heard: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self.passed + len(self.failed)

    def add(self, result: Result) -> None:
        self._heard.update(result.heard.warnings.keys())
        if not result.failures:
            self.passed += 1
            return
        self.failed.append(result)
        print(describe(result), flush=True)

    def summary(self, failures: list[str]) -> int:
        for text in failures:
            print(f"FAILED {text}")
        print(f"{self.passed} seeds passed, {len(self.failed)} failed: {[r.case.seed for r in self.failed]}")
        print(f"warnings: {dict(self._heard)}")
        for kind, seeds in sorted(self._kinds().items(), key=lambda item: -len(item[1])):
            print(f"{len(seeds):5} {kind}: {seeds[:20]}")
        return 1 if failures or self.failed else 0

    def _kinds(self) -> dict[str, list[int]]:
        """The failing seeds by what is wrong, without its numbers."""
        kinds: dict[str, list[int]] = {}
        for result in self.failed:
            for failure in dict.fromkeys(re.sub(r"[-\d.]+[-\d., ]*", "N ", text)[:100] for text in result.failures):
                kinds.setdefault(failure, []).append(result.case.seed)
        return kinds


def describe(result: Result) -> str:
    case = result.case
    lines = [f"FAILED seed {case.seed} ({case.clip.name}): {'; '.join(case.texts)}"]
    lines += [f"    {failure}" for failure in result.failures]
    lines += [f"    warned: {text}" for text in result.heard.warnings.values()]
    lines += [f"    refused: {text}" for text in result.heard.refusals]
    return "\n".join([*lines, f"    again: python -m tests.torture --seed {case.seed}"])


if __name__ == "__main__":
    sys.exit(main())
