"""Removes Headwater's variables from the environment of every test in this package."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_headwater_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("HEADWATER_"):
            monkeypatch.delenv(name)
