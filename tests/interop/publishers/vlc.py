"""VLC's stream output over RTMP, which copies a file in real time."""

from dataclasses import dataclass

from tests.interop.children import run, without_root
from tests.interop.outcome import PUBLISHED_S
from tests.interop.publishers import Target
from tests.interop.readers.vlc import VlcReader, vlc_version

WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class VlcPublisher:
    name: str = "VLC"
    codecs: str = "H.264, AAC"
    refused: bool = False

    def missing(self) -> str | None:
        return VlcReader().missing()

    def version(self) -> str:
        return vlc_version()

    def publish(self, target: Target) -> None:
        output = f"#std{{access=rtmp,mux=ffmpeg{{mux=flv}},dst={target.url}}}"
        command = ["cvlc", "--no-color", "--intf", "dummy", str(target.clip), f":sout={output}"]
        command += [f":stop-time={PUBLISHED_S:g}", "vlc://quit"]
        run(without_root(command, target.directory), target.log, within_s=WITHIN_S)
