"""The log of a real server in JSON: every line of a broadcast names its stream and its broadcast."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.processes import tree
from tests.lab.server import Server, serving
from tests.lab.waiting import until

SETTINGS = """
[log]
format = "json"
[rtmp]
reconnect_window = 0
[transcoder]
ladder = [ {height = 180, bitrate = "100k"} ]
"""


def test_every_line_of_a_broadcast_names_it(tmp_path: Path) -> None:
    clip = make_clip(Clip(20, size="320x180", video_kbps=200), tmp_path / "clip.flv")
    data = tmp_path / "data"
    with serving(data, config=SETTINGS) as server:
        with publishing(clip, server.create("studio"), loop=True):
            until(lambda: renditions(server) > 1)
            broadcast = server.json("show", "studio")["broadcast"]
            os.kill(transcoder(server), signal.SIGKILL)
            until(lambda: "transcoder died" in events(data))
        until(lambda: "broadcast ended" in events(data))
    lines = log(data)[events(data).index("publisher connected") :]
    assert {line["event"] for line in lines} >= {"transcoder died", "publisher gone", "broadcast ended"}
    assert {(line["stream"], line["broadcast"]) for line in lines} == {("studio", broadcast)}


def test_a_dropped_publication_is_named(tmp_path: Path) -> None:
    """The connection's own line, although the connection did not begin with a broadcast."""
    clip = make_clip(Clip(20, size="1280x720", video_kbps=200), tmp_path / "clip.flv")
    data = tmp_path / "data"
    with (
        serving(data, config='[log]\nformat = "json"\n[rtmp]\nmax_picture = "640x360"\n') as server,
        publishing(clip, server.create("studio")),
    ):
        until(lambda: "connection dropped" in events(data))
        until(lambda: "publisher gone" in events(data))
    (dropped,) = [line for line in log(data) if line["event"] == "connection dropped"]
    (gone,) = [line for line in log(data) if line["event"] == "publisher gone"]
    assert dropped["code"] == "picture-too-large"
    assert (dropped["stream"], dropped["broadcast"]) == (gone["stream"], gone["broadcast"])


def renditions(server: Server) -> int:
    shown: dict[str, Any] = server.json("show", "studio")
    return sum(rendition["kind"] == "video" for rendition in shown["renditions"])


def transcoder(server: Server) -> int:
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in tree(server.pid)}
    return next(pid for pid, command in commands.items() if b"transcoder.worker\0" in command)


def log(data: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (data / "server.log").read_text().splitlines() if line.startswith("{")]


def events(data: Path) -> list[str]:
    return [line["event"] for line in log(data)]
