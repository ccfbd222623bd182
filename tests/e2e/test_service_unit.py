"""A server under the limits of deploy/headwater.service: its transcoders encode, and what is forbidden fails."""

import ctypes.util
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.programs import find_program
from tests.lab.server import serving
from tests.lab.viewers.on_air import wait_on_air
from tests.lab.waiting import until

SANDBOX = (sys.executable, "-m", "tests.lab.sandbox")
ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.skipif(find_program("systemd-analyze") is None, reason="systemd-analyze is not installed"),
    pytest.mark.skipif(ctypes.util.find_library("seccomp") is None, reason="libseccomp is not installed"),
]


def test_a_server_encodes_within_the_units_limits(tmp_path: Path) -> None:
    clip = make_clip(Clip(20, size="1280x720", video_kbps=800), tmp_path / "clip.flv")
    ladder = '[transcoder]\nladder = [{height = 360, bitrate = "400k"}]\n'
    with (
        serving(tmp_path / "data", config=ladder, under=SANDBOX) as server,
        publishing(clip, server.create("studio"), loop=True),
    ):
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
        assert any("/v360p/" in playlist for playlist in wait_on_air(server.http, "studio").video)
        until(lambda: list((server.data / "store").rglob("v360p/1.m4s")))
        token = (server.data / "api-token").read_text().strip()
        picture = f"{server.http}/api/v1/streams/studio/thumbnail.jpg"
        headers = {"Authorization": f"Bearer {token}"}
        until(lambda: httpx.get(picture, headers=headers).status_code == 200)
        assert server.json("show", "studio")["warnings"] == []


@pytest.mark.parametrize(
    "attempt",
    [
        "os.chown('/tmp', 0, 0)",
        "os.setuid(0)",
        "os.chroot('/')",
        "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    ],
)
def test_what_the_unit_forbids_fails(attempt: str) -> None:
    command = [*SANDBOX, sys.executable, "-c", f"import mmap, os; {attempt}"]
    tried = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert "PermissionError" in tried.stderr
