"""Completion in a real bash, through the script and the environment that it uses."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.datadir import DataDir, ServerInfo
from tests.lab.server import Server, serving

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="bash is not installed")
HEADWATER = Path(sys.executable).with_name("headwater")
PROGRAM = """
set -u
eval "$(_HEADWATER_COMPLETE=source_bash headwater)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_headwater_completion headwater
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("completion")) as server:
        for stream in ("studio-a", "studio-b", "attic"):
            server.create(stream)
        yield server


def complete(data: Path, *words: str) -> list[str]:
    """What bash offers after ``headwater``, ``words``, of which the last is incomplete."""
    assert BASH is not None
    result = subprocess.run(
        [BASH, "--norc", "-c", PROGRAM, "bash", "headwater", *words],
        env={"PATH": f"{HEADWATER.parent}:/usr/bin:/bin", "HEADWATER_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.split()


@pytest.mark.parametrize("command", ["show", "kill", "set", "delete", "rotate-key", "token", "broadcasts"])
def test_stream_names_are_offered(server: Server, command: str) -> None:
    assert complete(server.data, command, "") == ["attic", "live", "studio-a", "studio-b"]
    assert complete(server.data, command, "stu") == ["studio-a", "studio-b"]


def test_stream_names_are_offered_for_the_audit_log(server: Server) -> None:
    assert complete(server.data, "audit", "--stream", "stu") == ["studio-a", "studio-b"]


def test_options_before_the_name_are_followed(server: Server, tmp_path: Path) -> None:
    assert complete(tmp_path, "show", "--data", str(server.data), "at") == ["attic"]
    token = (server.data / "api-token").read_text().strip()
    assert complete(tmp_path, "show", "--server", server.http, "--token", token, "at") == ["attic"]


def test_commands_and_options_are_offered(server: Server) -> None:
    assert complete(server.data, "rot") == ["rotate-key"]
    assert complete(server.data, "list", "--wa") == ["--watch"]
    assert complete(server.data, "create", "") == []


def test_without_a_server_nothing_is_offered_and_nothing_is_printed(tmp_path: Path) -> None:
    assert complete(tmp_path, "show", "") == []
    assert complete(tmp_path, "show", "--server", "ftp://nonsense", "") == []


def test_a_server_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        data = DataDir(tmp_path)
        data.create()
        data.announce(ServerInfo(http=url, rtmp="rtmp://127.0.0.1:1/live", pid=1))
        started = time.monotonic()
        assert complete(tmp_path, "show", "") == []
        waited = time.monotonic() - started
    started = time.monotonic()
    assert complete(tmp_path / "none", "show", "") == []
    # The rest is the start of Python, twice.
    assert waited - (time.monotonic() - started) < 2
