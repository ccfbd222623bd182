"""deploy/headwater.service, as systemd reads and rates it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.programs import find_program
from tests.lab.service_unit import UNIT, settings

with_systemd = pytest.mark.skipif(
    find_program("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian: systemd)"
)
# Out of 100. Without any hardening it is 92.
MOST_EXPOSED = 15
PROMISED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "UMask": "0077",
    "LimitNOFILE": "65536",
    "LimitCORE": "0",
    "MemoryMax": "80%",
    "TasksMax": "4096",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "MemoryDenyWriteExecute": "yes",
    "SystemCallFilter": "@system-service ~@privileged",
    # A transcoder that ends must not end the others; one that the server does not end must not outlive it.
    "OOMPolicy": "continue",
    "KillMode": "mixed",
    "TimeoutStopSec": "60",
    "StateDirectoryMode": "0700",
}


def test_the_unit_keeps_its_promises() -> None:
    found = settings("Service")
    assert {key: found.get(key) for key in PROMISED} == PROMISED
    assert found["User"] != "root"
    assert "--data /var/lib/headwater" in found["ExecStart"]
    assert found["StateDirectory"] == "headwater"


@with_systemd
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/headwater/.venv/bin/headwater", sys.executable))
    checked = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@with_systemd
def test_systemd_rates_the_unit_as_hardened() -> None:
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", str(UNIT)]
    rated = subprocess.run(command, capture_output=True, text=True, check=False)
    assert rated.returncode == 0, rated.stdout
