"""nginx with its RTMP module, which pushes on what it receives from ffmpeg. It begins with the second keyframe, so
it gets two seconds more."""

from dataclasses import dataclass

from tests.interop.children import first_line, run
from tests.interop.outcome import RECORDING_S
from tests.interop.publishers import Target
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.peers.nginx_rtmp import missing, nginx_rtmp

WITHIN_S = 30.0
PACKAGE = "libnginx-mod-rtmp"


@dataclass(frozen=True, slots=True)
class NginxPublisher:
    name: str = "nginx-rtmp push"
    codecs: str = "H.264, AAC"
    refused: bool = False

    def missing(self) -> str | None:
        return None if missing() is None else f"nginx with its RTMP module (Debian: {PACKAGE})"

    def version(self) -> str:
        version = first_line(["dpkg-query", "-W", "-f", "${Version}", PACKAGE])
        return version.partition(":")[2].partition("+")[0]

    def publish(self, target: Target) -> None:
        with nginx_rtmp(target.directory, push=target.url) as (_, url, _hls):
            command = [ffmpeg_path(), "-hide_banner", "-nostdin", "-v", "warning", "-re", "-i", str(target.clip)]
            command += ["-t", f"{RECORDING_S:g}", "-c", "copy", "-f", "flv", f"{url}/relayed"]
            run(command, target.log, within_s=WITHIN_S)
