import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.daemon import nginx_command
from tests.lab.peers import mediamtx, nginx_rtmp, srs
from tests.lab.processes import cpu, memory
from tests.lab.programs import find_program


@pytest.mark.parametrize(
    ("missing", "variable"), [(mediamtx.missing, mediamtx.MEDIAMTX_VARIABLE), (srs.missing, srs.SRS_VARIABLE)]
)
def test_a_peer_takes_part_if_its_variable_is_set(
    monkeypatch: pytest.MonkeyPatch, missing: Callable[[], str | None], variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    reason = missing()
    assert reason is not None and variable in reason
    monkeypatch.setenv(variable, sys.executable)
    assert missing() is None


def test_nginx_gets_its_addresses_and_directories(tmp_path: Path) -> None:
    text = nginx_rtmp.CONFIGURATION.format(module="m.so", directory=tmp_path, host="127.0.0.1", port=1, push="")
    assert text.count("{") == text.count("}")
    assert re.search(r"listen 127\.0\.0\.1:1;", text)
    assert f"hls_path {tmp_path}/hls;" in text
    assert nginx_command(tmp_path, tmp_path / "c")[:5] == ["nginx", "-p", str(tmp_path), "-c", f"{tmp_path}/c"]


def test_a_program_that_is_not_installed_is_not_found() -> None:
    assert find_program("no-such-program") is None


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="/proc does not exist")
def test_this_process_has_cpu_time_and_memory() -> None:
    assert memory((1 << 22,)).pss == 0
    own = (int(Path("/proc/self").resolve().name),)
    assert memory(own).pss > 1 << 20
    assert cpu(own).total > 0
