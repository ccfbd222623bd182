"""VLC, playing in real time without a screen; its remote control prints what it has decoded."""

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.interop.children import child, first_line, tail, without_root
from tests.interop.counting import SAMPLE_RATE
from tests.interop.outcome import FPS, Decoded, Format
from tests.interop.readers import Source, Workspace
from tests.lab.programs import find_program

WITHIN_S = 30.0
# A recording can be counted only until VLC ends.
EVERY_S = 0.1
# VLC 3 counts each picture and each AAC frame twice.
PICTURES = re.compile(r"video decoded    : +(\d+)")
SOUND = re.compile(r"audio decoded    : +(\d+)")
COUNTED = 2
AAC_SAMPLES = 1024
COMMAND = (
    *("cvlc", "--no-color", "--intf", "rc", "--rc-fake-tty", "--vout", "dummy", "--aout", "dummy"),
    *("--no-video-title-show", "--play-and-exit"),
)


@dataclass(frozen=True, slots=True)
class VlcReader:
    name: str = "VLC"
    formats: tuple[Format, ...] = (Format.HLS, Format.DASH)

    def missing(self) -> str | None:
        return None if find_program("cvlc") else "VLC (Debian: vlc-bin vlc-plugin-base)"

    def version(self) -> str:
        return vlc_version()

    def read(self, source: Source, workspace: Workspace) -> Decoded:
        command = without_root([*COMMAND, source.url], workspace.directory)
        deadline = time.monotonic() + WITHIN_S
        with child(command, workspace.log, talk=True) as process:
            wanted = source.case.seconds - 1 / FPS
            while not self._counted(workspace.log).covers(wanted) and time.monotonic() < deadline:
                if not self._ask(process):
                    break
        return self._counted(workspace.log)

    def _ask(self, process: "subprocess.Popen[str]") -> bool:
        """Request the counts; False if VLC has ended."""
        assert process.stdin is not None
        try:
            process.stdin.write("stats\n")
            process.stdin.flush()
            process.wait(EVERY_S)
        except subprocess.TimeoutExpired:
            return True
        except BrokenPipeError:
            pass
        return False

    def _counted(self, log: Path) -> Decoded:
        text = log.read_text(errors="replace")
        counts = (max(map(int, pattern.findall(text)), default=0) for pattern in (PICTURES, SOUND))
        pictures, frames = (count // COUNTED for count in counts)
        return Decoded(pictures, frames * AAC_SAMPLES / SAMPLE_RATE, log=tail(log))


def vlc_version() -> str:
    """The version of Debian's package, because VLC does not start as root."""
    return first_line(["dpkg-query", "-W", "-f", "${Version}", "vlc-bin"]).partition("-")[0]
