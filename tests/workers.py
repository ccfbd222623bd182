"""A plugin of pytest: two workers of pytest-xdist (``-n 2``) share the tests.

One begins with the tests that load the machine, one after the other. The other takes the rest, module by module,
and so does the first when it has finished. Then come, in one worker, the tests that are disturbed easily: browsers
and players, which wait until the other worker has no test left that could disturb them. Last are the tests that
only compute, at the lowest priority. Three workers overload two cores.

Source: https://pytest-xdist.readthedocs.io/en/stable/how-to.html
"""

import fcntl
import os
from collections.abc import Generator

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

QUIET = (
    "tests/e2e/test_low_latency_players.py",
    "tests/e2e/test_pages_pause.py",
    "tests/e2e/test_pages_qoe.py",
    "tests/e2e/test_pages_watch.py",
    "tests/e2e/test_players.py",
)
HEAVY = ("tests/attack/", "tests/chaos/", "tests/e2e/test_shedding.py", "tests/interop/")
COMPUTING = ("tests/conformance/", "tests/fuzz/", "tests/torture/", "tests/unit/")
LOWEST_PRIORITY = 19


class QuietLock:
    """A lock on this file, which tests that may disturb others share and a quiet test holds alone."""

    def __init__(self) -> None:
        self._file = os.open(__file__, os.O_RDONLY)

    def acquire(self, nodeid: str) -> None:
        """Wait until the test may run."""
        if nodeid.startswith(COMPUTING):
            self.release()
        else:
            fcntl.flock(self._file, fcntl.LOCK_EX if nodeid.startswith(QUIET) else fcntl.LOCK_SH)

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)


QUIET_LOCK = QuietLock()


class ByLoad(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(HEAVY):
            return "heavy"
        return "quiet" if nodeid.startswith(QUIET) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByLoad:
    config.option.loadscopereorder = False
    return ByLoad(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> tuple[bool, bool, bool]:
        name = item.nodeid
        return name.startswith(COMPUTING), name.startswith(QUIET), not name.startswith(HEAVY)

    items.sort(key=place)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Outside the test's time-out."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        QUIET_LOCK.acquire(item.nodeid)
    return (yield)


def pytest_sessionfinish() -> None:
    QUIET_LOCK.release()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print a failure at once, not only at the end: a run takes half an hour."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.outcome} in {report.when}: {report.nodeid}\n{report.longreprtext}", flush=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    # A process without root rights can never raise its priority again.
    if "PYTEST_XDIST_WORKER" in os.environ and item.nodeid.startswith(COMPUTING):
        os.setpriority(os.PRIO_PROCESS, 0, LOWEST_PRIORITY)
