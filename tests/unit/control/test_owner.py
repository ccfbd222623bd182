"""What root's processes do in a directory of another user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from control.owner import other_owner, warn_of_root

NOBODY = 65534
# It cannot become root again, so it is a process of its own.
COMMAND = """
import os, sys
from pathlib import Path
from control.owner import act_as_owner
os.chdir(sys.argv[1])
act_as_owner([Path("missing"), Path(".")])
print(os.geteuid(), os.getegid(), os.getgroups())
Path("file").touch()
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    os.chown(tmp_path, NOBODY, NOBODY)
    return tmp_path


def test_a_command_goes_on_as_the_owner(directory: Path) -> None:
    done = subprocess.run([sys.executable, "-c", COMMAND, directory], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{NOBODY} {NOBODY} [{NOBODY}]"
    assert (directory / "file").stat().st_uid == NOBODY


def test_a_directory_of_root_has_no_other_owner(tmp_path: Path) -> None:
    assert other_owner([tmp_path, tmp_path / "missing"]) is None


def test_the_server_names_the_owner(directory: Path) -> None:
    with capture_logs() as lines:
        warn_of_root([directory])
    (line,) = lines
    assert line["event"].endswith("run it as nobody")
    assert line["directory"] == str(directory)
