"""MediaMTX, where somebody says by HEADWATER_BENCH_MEDIAMTX where its program is, making low-latency HLS."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stage.machine import MEDIAMTX_VARIABLE
from tests.lab.daemon import daemon
from tests.lab.ports import HOST, free_port
from tests.lab.programs import find_program

MISSING = f"MediaMTX: skipped, {MEDIAMTX_VARIABLE} does not say where its program is"
# Viewers show it as a CDN does: others are redirected once and given a cookie.
SECRET = "a-cdn-of-the-benchmark"
# Segments are as long as Headwater's; everything else is its default, but for what is not measured.
CONFIGURATION = """\
logLevel: warn
rtsp: no
webrtc: no
srt: no
moq: no
rtmpAddress: {host}:{rtmp}
hlsAddress: {host}:{hls}
hlsAlwaysRemux: yes
hlsVariant: lowLatency
hlsSegmentDuration: 2s
hlsPartDuration: {part_ms}ms
hlsDirectory: "{hls_directory}"
hlsCDNSecret: {secret}
paths:
  all_others:
"""


@dataclass(frozen=True, slots=True)
class MediaMtx:
    """``http`` is the URL of its HLS server."""

    pid: int
    rtmp: str
    http: str

    def publish(self, stream: str) -> str:
        return f"{self.rtmp}/{stream}"

    def master(self, stream: str) -> str:
        """The path of the stream's multivariant playlist."""
        return f"/live/{stream}/index.m3u8"


def missing() -> str | None:
    """Why it cannot take part, or None."""
    return MISSING if find_program(os.environ.get(MEDIAMTX_VARIABLE, "")) is None else None


@contextmanager
def mediamtx(directory: Path, *, part_ms: int = 333, hls_directory: Path | None = None) -> Iterator[MediaMtx]:
    """Ended with the block. Segments are kept in memory, or in ``hls_directory``. Raises LabError."""
    rtmp, hls, configuration = free_port(), free_port(), directory / "mediamtx.yml"
    kept = hls_directory or ""
    configuration.write_text(
        CONFIGURATION.format(host=HOST, rtmp=rtmp, hls=hls, part_ms=part_ms, hls_directory=kept, secret=SECRET)
    )
    command = [os.environ.get(MEDIAMTX_VARIABLE, ""), str(configuration)]
    with daemon(command, rtmp, directory, missing=MISSING) as pid:
        yield MediaMtx(pid, f"rtmp://{HOST}:{rtmp}/live", f"http://{HOST}:{hls}")
