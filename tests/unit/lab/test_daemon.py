import sys
from pathlib import Path

import pytest

from tests.lab.daemon import daemon
from tests.lab.errors import LabError


def test_a_missing_program_is_reported(tmp_path: Path) -> None:
    with (
        pytest.raises(LabError, match="get it there"),
        daemon(["no-such-program"], 1, tmp_path, missing="get it there"),
    ):
        pytest.fail("it runs")


def test_a_program_that_exits_is_reported_with_its_output(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('a directive is unknown')"]
    with (
        pytest.raises(LabError, match="did not start: a directive is unknown"),
        daemon(command, 1, tmp_path, missing=""),
    ):
        pytest.fail("it runs")
