"""`headwater demo` without arguments: a server and its broadcaster, which end together."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from control.datadir import DataDir, ServerInfo
from tests.lab.processes import tree
from tests.lab.server import HEADWATER, Server, serving
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
        running = {pid: arguments(pid) for pid in tree(process.pid)}
        publishers = [pid for pid, given in running.items() if b"testsrc2" in given]
        assert len(publishers) == 2, "ffmpeg, and the process that publishes"
        key = directory.stream_key("live")
        assert key is not None
        assert not any(key.encode() in given for given in running.values())
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert f"watch it at {server.http}/watch/live" in printed
        assert directory.server() is None
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert [pid for pid in publishers if arguments(pid)] == []


def test_a_demo_beside_the_server_ends_its_broadcast_properly(tmp_path: Path) -> None:
    """It publishes again if it was disconnected, and its end is not a lost connection."""
    with serving(tmp_path / "data") as server:
        command = [*HEADWATER, "demo", "--data", str(server.data)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            until(lambda: state(server) == "live")
            first = server.json("show", "live")["broadcast"]
            server.cli("kill", "live")
            until(lambda: state(server) == "live" and server.json("show", "live")["broadcast"] != first)
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
        until(lambda: server.json("broadcasts", "live")[0]["end_reason"] == "the publisher stopped")


def state(server: Server) -> str:
    return str(server.json("show", "live")["state"])


def arguments(pid: int) -> bytes:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_playing(server: ServerInfo, directory: DataDir) -> bool:
    headers = {"Authorization": f"Bearer {directory.api_token()}"}
    stream: dict[str, Any] = httpx.get(f"{server.http}/api/v1/streams/live", headers=headers).json()
    media = httpx.get(f"{server.http}/live/live/master.m3u8")
    return stream["state"] == "live" and media.status_code == 200
