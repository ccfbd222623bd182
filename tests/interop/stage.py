"""One server with what all readers share: two live broadcasts of one publisher, and a recording."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import m3u8

from tests.interop.children import child, tail
from tests.interop.outcome import FPS, RECORDING_S, Case, Format, Kind
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.errors import LabError
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.server import REQUEST_TIMEOUT_S, Server, serving
from tests.lab.waiting import until

STREAMS = {Kind.LIVE: "normal", Kind.LOW_LATENCY: "low", Kind.RECORDING: "recorded"}
# The window is short, so its first segment leaves before readers arrive. Only one broadcast has an encoded
# rendition, because on a busy machine that has gaps.
CONFIG = f"""
[packager]
playlist_window = "20s"
[rtmp]
reconnect_window = "2s"
[log]
format = "json"
[transcoder]
ladder = "source"
[streams.{STREAMS[Kind.LIVE]}]
low_latency = false
ladder = [ {{height = 180, bitrate = "200k"}} ]
"""
CLIP = Clip(int(RECORDING_S), size="640x360", fps=FPS, gop=2 * FPS, video_kbps=600)
READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """The server, and the clip that publishers send."""

    server: Server
    clip: Path

    def url(self, case: Case) -> str:
        return self.address(STREAMS[case.kind], case.format)

    def address(self, stream: str, format: Format) -> str:
        file = "master.m3u8" if format is Format.HLS else "manifest.mpd"
        return f"{self.server.http}/live/{stream}/{file}"

    def wait_for(self, kind: Kind) -> None:
        """Wait until a reader may come: to live media once its first segment has left the playlist, and to a
        recording once it is complete. Raises AssertionError."""
        stream = STREAMS[kind]
        until(lambda: self.is_over(stream) if kind is Kind.RECORDING else self._moved(stream), timeout=READY_S)

    def watch(self, stream: str) -> Any:
        return json.loads(self._get(f"{self.server.http}/api/v1/watch/{stream}"))

    def is_over(self, stream: str) -> bool:
        """Whether the broadcast of ``stream`` has ended and its recording is complete."""
        return self.watch(stream)["state"] == "idle" and any(p.is_endlist for p in self._playlists(stream))

    def log_of(self, stream: str) -> list[str]:
        """What the server logged about the stream's publisher, in words."""
        lines = (self.server.data / "server.log").read_text().splitlines()
        entries = (json.loads(line) for line in lines if line.startswith("{"))
        return [entry["text"] for entry in entries if entry.get("stream") == stream and "text" in entry]

    def _moved(self, stream: str) -> bool:
        return any((playlist.media_sequence or 0) > 1 for playlist in self._playlists(stream))

    def _playlists(self, stream: str) -> Iterator[m3u8.M3U8]:
        path = self.watch(stream)["hls"]
        if path is not None:
            master = m3u8.loads(self._get(f"{self.server.http}{path}"))
            folder = path.rpartition("/")[0]
            for variant in master.playlists[:1]:
                yield m3u8.loads(self._get(f"{self.server.http}{folder}/{variant.uri}"))

    def _get(self, url: str) -> str:
        with urllib.request.urlopen(url, timeout=REQUEST_TIMEOUT_S) as response:
            text: str = response.read().decode()
            return text


@contextmanager
def staged(directory: Path) -> Iterator[Stage]:
    """The live broadcasts run until the block ends, the recorded one until the end of its clip. Raises LabError."""
    clip = make_clip(CLIP, directory / "clip.flv")
    clip.chmod(0o644)
    with serving(directory / "data", config=CONFIG) as server:
        live = [server.create(STREAMS[kind]) for kind in (Kind.LIVE, Kind.LOW_LATENCY)]
        with (
            publishing(clip, server.create(STREAMS[Kind.RECORDING])),
            _broadcasting(live, directory / "broadcaster.log"),
        ):
            yield Stage(server, clip)


@contextmanager
def _broadcasting(urls: list[str], log: Path) -> Iterator[None]:
    """ffmpeg sends one encoding to all of ``urls``, without end: a repeated clip would not be regular."""
    command = [ffmpeg_path(), "-hide_banner", "-nostdin", "-v", "warning"]
    command += ["-re", "-f", "lavfi", "-i", f"testsrc2=size={CLIP.size}:rate={FPS}"]
    command += ["-re", "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000"]
    command += ["-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency"]
    command += ["-pix_fmt", "yuv420p", "-b:v", f"{CLIP.video_kbps}k", "-g", str(CLIP.gop), "-sc_threshold", "0"]
    command += ["-c:a", "aac", "-b:a", "96k", "-ac", "2", "-flags", "+global_header"]
    command += ["-f", "tee", "|".join(f"[f=flv]{url}" for url in urls)]
    with child(command, log) as process:
        yield
        if process.poll() is not None:
            raise LabError(f"the broadcaster ended: {tail(log)}")
