"""GStreamer's hlsdemux2 and dashdemux2. Decoded pictures are scaled to 16 by 16 grey pixels, and sound is mixed to
one channel, so the sizes of two files are the counts."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.interop.children import child, first_line, tail
from tests.interop.counting import SAMPLE_RATE
from tests.interop.outcome import Decoded, Format
from tests.interop.readers import Source, Workspace
from tests.lab.programs import find_program

# gst-launch-1.0 does not play until its demuxer has buffered 30 seconds, which takes so long at the live edge.
WITHIN_S = 45.0
EVERY_S = 0.1
SIDE, SAMPLE_BYTES = 16, 2
PICTURES = f"video/x-raw,format=GRAY8,width={SIDE},height={SIDE}"
SOUND = f"audio/x-raw,format=S16LE,rate={SAMPLE_RATE},channels=1,layout=interleaved"


@dataclass(frozen=True, slots=True)
class GstreamerReader:
    """``demuxer`` reads one of the two formats."""

    demuxer: str
    formats: tuple[Format, ...]

    @property
    def name(self) -> str:
        return f"GStreamer {self.demuxer}"

    def missing(self) -> str | None:
        return gstreamer_lacks(self.demuxer)

    def version(self) -> str:
        return gstreamer_version()

    def read(self, source: Source, workspace: Workspace) -> Decoded:
        pictures, sound = workspace.directory / "pictures", workspace.directory / "sound"
        command = ["gst-launch-1.0", "uridecodebin3", "name=source", f"uri={source.url}"]
        command += f"source. ! video/x-raw ! queue ! videoconvert ! videoscale ! {PICTURES} !".split()
        command += ["filesink", f"location={pictures}", "buffer-mode=unbuffered"]
        command += f"source. ! audio/x-raw ! queue ! audioconvert ! audioresample ! {SOUND} !".split()
        command += ["filesink", f"location={sound}", "buffer-mode=unbuffered"]
        ranks = {"GST_PLUGIN_FEATURE_RANK": "hlsdemux2:MAX,dashdemux2:MAX"}
        deadline = time.monotonic() + WITHIN_S
        with child(command, workspace.log, environment=ranks) as process:
            while time.monotonic() < deadline and not self._count(pictures, sound).covers(source.case.seconds + 1):
                try:
                    process.wait(EVERY_S)
                except subprocess.TimeoutExpired:
                    continue
                break
        counted = self._count(pictures, sound)
        return Decoded(counted.pictures, counted.sound_s, log=tail(workspace.log))

    def _count(self, pictures: Path, sound: Path) -> Decoded:
        sizes = [file.stat().st_size if file.exists() else 0 for file in (pictures, sound)]
        return Decoded(sizes[0] // SIDE**2, sizes[1] / SAMPLE_BYTES / SAMPLE_RATE)


def gstreamer_lacks(*elements: str) -> str | None:
    """Which of GStreamer's ``elements`` is not installed, in words, or None."""
    if find_program("gst-launch-1.0") is None:
        return "GStreamer (Debian: gstreamer1.0-tools)"
    for element in elements:
        found = subprocess.run(["gst-inspect-1.0", "--exists", element], check=False, timeout=30)
        if found.returncode:
            return f"GStreamer's {element} (Debian: gstreamer1.0-plugins-base, -good, -bad, -ugly and -libav)"
    return None


def gstreamer_version() -> str:
    return first_line(["gst-launch-1.0", "--version"]).split()[-1]
