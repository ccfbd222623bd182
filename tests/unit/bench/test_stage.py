import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.stage import mediamtx, nginx_rtmp, srs
from bench.stage.daemon import daemon, nginx_command
from bench.stage.errors import BenchError
from bench.stage.machine import MEDIAMTX_VARIABLE, SRS_VARIABLE, machine, program
from bench.stage.processes import cpu, memory


def test_what_is_not_installed_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(BenchError, match="get it there"),
        daemon(["no-such-program"], 1, tmp_path, missing="get it there"),
    ):
        pytest.fail("it runs")


def test_a_program_that_ends_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('a directive is unknown')"]
    with (
        pytest.raises(BenchError, match="did not start: a directive is unknown"),
        daemon(command, 1, tmp_path, missing=""),
    ):
        pytest.fail("it runs")


@pytest.mark.parametrize(
    ("missing", "variable"), [(mediamtx.missing, MEDIAMTX_VARIABLE), (srs.missing, SRS_VARIABLE)]
)
def test_a_peer_takes_part_where_somebody_says_where_it_is(
    monkeypatch: pytest.MonkeyPatch, missing: Callable[[], str | None], variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    told = missing()
    assert told is not None and variable in told
    monkeypatch.setenv(variable, sys.executable)
    assert missing() is None


def test_nginx_is_told_all_its_places(tmp_path: Path) -> None:
    text = nginx_rtmp.CONFIGURATION.format(module="m.so", directory=tmp_path, host="127.0.0.1", port=1)
    assert text.count("{") == text.count("}")
    assert re.search(r"listen 127\.0\.0\.1:1;", text)
    assert f"hls_path {tmp_path}/hls;" in text
    assert nginx_command(tmp_path, tmp_path / "c")[:5] == ["nginx", "-p", str(tmp_path), "-c", f"{tmp_path}/c"]


def test_the_machine_is_described() -> None:
    found = machine()
    assert {"processor", "system", "Python", "av"} <= found.keys()
    assert all(found.values())
    assert program("no-such-program") is None


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="there is no /proc here")
def test_this_process_costs_something() -> None:
    assert memory((1 << 22,)).pss == 0
    own = (int(Path("/proc/self").resolve().name),)
    assert memory(own).pss > 1 << 20
    assert cpu(own).total > 0
