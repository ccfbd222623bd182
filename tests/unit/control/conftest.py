"""Shared by the tests of this package. Headwater's variables are removed from the environment of each."""

import os
from functools import partial

import pytest

from tests.lab.event_loops import EVENT_LOOPS, Run, run_on


@pytest.fixture(autouse=True)
def no_headwater_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("HEADWATER_"):
            monkeypatch.delenv(name)


@pytest.fixture(params=list(EVENT_LOOPS.values()), ids=list(EVENT_LOOPS))
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a scenario; the test is repeated for each kind of event loop."""
    return partial(run_on, request.param)
