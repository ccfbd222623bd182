"""`headwater demo` without arguments: a server and its broadcaster, which end together."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from control.datadir import DataDir, ServerInfo
from tests.lab.waiting import until


def test_the_demo_starts_a_server_with_a_playable_broadcast(tmp_path: Path) -> None:
    directory = DataDir(tmp_path / "data")
    command = [sys.executable, "-m", "control.cli", "demo", "--data", str(directory.path)]
    command += ["--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: directory.server() is not None)
        server = directory.server()
        assert server is not None
        until(lambda: is_playing(server, directory))
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert f"watch it at {server.http}/watch/live" in printed
        assert directory.server() is None
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert publishers_of(server) == []


def is_playing(server: ServerInfo, directory: DataDir) -> bool:
    headers = {"Authorization": f"Bearer {directory.api_token()}"}
    stream: dict[str, Any] = httpx.get(f"{server.http}/api/v1/streams/live", headers=headers).json()
    media = httpx.get(f"{server.http}/live/live/master.m3u8")
    return stream["state"] == "live" and media.status_code == 200


def publishers_of(server: ServerInfo) -> list[str]:
    """The processes that still publish to the server."""
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(server.rtmp) in (process / "cmdline").read_bytes():
                left.append(process.name)
        except OSError:
            continue
    return left
