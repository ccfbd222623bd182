"""A minute of bad publishers. `make torture` runs as many as you like."""

from itertools import count
from pathlib import Path
from time import monotonic

from tests.lab.server import serving
from tests.torture.__main__ import Report, describe
from tests.torture.runner import CONFIG, Runner

START, LEAST, SECONDS, AT_ONCE = 0, 30, 30, 12


async def test_bad_publishers_hurt_nobody_and_are_told_why(tmp_path: Path) -> None:
    end = monotonic() + SECONDS
    report = Report()
    with serving(tmp_path / "data", config=CONFIG) as server:
        runner = Runner(server, tmp_path / "clips", concurrent=AT_ONCE)
        seeds = (seed for seed in count(START))
        chosen = iter(lambda: next(seeds) if report.total < LEAST or monotonic() < end else -1, -1)
        failures = await runner.run(chosen, report.add)
    print(f"seeds {START} to {START + report.total - 1}")
    assert not failures, failures
    assert not report.failed, "\n".join(map(describe, report.failed))
    assert report.total >= LEAST
