"""MediaMTX as a low-latency HLS server. HEADWATER_BENCH_MEDIAMTX is the path of its program."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.daemon import daemon
from tests.lab.ports import HOST, free_port
from tests.lab.programs import find_program

MEDIAMTX_VARIABLE = "HEADWATER_BENCH_MEDIAMTX"
MISSING = f"MediaMTX: skipped, {MEDIAMTX_VARIABLE} does not name its program"
# Viewers send this token as a CDN does; MediaMTX redirects other clients once, to set a cookie.
SECRET = "a-cdn-of-the-benchmark"
# Segments are as long as Headwater's. Everything else is the default, except what is not measured.
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
hlsPartDuration: 333ms
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


def missing() -> str | None:
    """Why it cannot take part, or None if it can."""
    return MISSING if find_program(os.environ.get(MEDIAMTX_VARIABLE, "")) is None else None


@contextmanager
def mediamtx(directory: Path, hls_directory: Path) -> Iterator[MediaMtx]:
    """A server that is stopped when the block ends. Raises LabError."""
    rtmp, hls, configuration = free_port(), free_port(), directory / "mediamtx.yml"
    configuration.write_text(
        CONFIGURATION.format(host=HOST, rtmp=rtmp, hls=hls, hls_directory=hls_directory, secret=SECRET)
    )
    command = [os.environ.get(MEDIAMTX_VARIABLE, ""), str(configuration)]
    with daemon(command, rtmp, directory, missing=MISSING) as pid:
        yield MediaMtx(pid, f"rtmp://{HOST}:{rtmp}/live", f"http://{HOST}:{hls}")
