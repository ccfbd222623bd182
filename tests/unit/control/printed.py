"""What a command prints that succeeds."""

import json
from typing import Any

import pytest

from tests.unit.control.fake_server import FakeServer


def output(server: FakeServer, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = server.run(*arguments)
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return printed.out


def data(server: FakeServer, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(output(server, capsys, *arguments, "--json"))
