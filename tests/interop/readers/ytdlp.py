"""yt-dlp, from PyPI. It loads a recording itself and passes a live stream to ffmpeg; what it writes is decoded with
the wheel's ffmpeg."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec

from tests.interop.children import first_line, run
from tests.interop.counting import decode
from tests.interop.outcome import Decoded, Format, Kind
from tests.interop.readers import Source, Workspace
from tests.lab.ffmpeg import ffmpeg_path

WITHIN_S = 40.0
YT_DLP = (sys.executable, "-m", "yt_dlp")


@dataclass(frozen=True, slots=True)
class YtDlpReader:
    name: str = "yt-dlp"
    formats: tuple[Format, ...] = (Format.HLS, Format.DASH)

    def missing(self) -> str | None:
        return None if find_spec("yt_dlp") else "yt-dlp (PyPI: make interop-tools)"

    def version(self) -> str:
        return first_line([*YT_DLP, "--version"])

    def read(self, source: Source, workspace: Workspace) -> Decoded:
        written = workspace.directory / "downloaded.mp4"
        limit = []
        if source.case.kind is not Kind.RECORDING:
            limit = ["--downloader-args", f"ffmpeg:-t {source.case.seconds:g}"]
        command = [*YT_DLP, "--ignore-config", "--no-cache-dir", "--no-progress", *limit]
        command += ["--ffmpeg-location", ffmpeg_path(), "--output", str(written), source.url]
        run(command, workspace.log, within_s=WITHIN_S)
        return decode(ffmpeg_path(), str(written), workspace.directory / "count", within_s=WITHIN_S)
