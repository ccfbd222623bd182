"""streamlink, from PyPI, which loads and joins the segments; what it writes is decoded with the wheel's ffmpeg."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec

from tests.interop.children import first_line, run
from tests.interop.counting import decode
from tests.interop.outcome import Decoded, Format, Kind
from tests.interop.readers import Source, Workspace
from tests.lab.ffmpeg import ffmpeg_path

WITHIN_S = 40.0
STREAMLINK = (sys.executable, "-m", "streamlink")


@dataclass(frozen=True, slots=True)
class StreamlinkReader:
    name: str = "streamlink"
    formats: tuple[Format, ...] = (Format.HLS, Format.DASH)

    def missing(self) -> str | None:
        return None if find_spec("streamlink") else "streamlink (PyPI: make interop-tools)"

    def version(self) -> str:
        return first_line([*STREAMLINK, "--version"]).split()[-1]

    def read(self, source: Source, workspace: Workspace) -> Decoded:
        written = workspace.directory / "joined.mkv"
        limit = (
            []
            if source.case.kind is Kind.RECORDING
            else ["--stream-segmented-duration", f"{source.case.seconds:g}"]
        )
        command = [*STREAMLINK, "--no-config", "--no-plugin-sideloading", "--progress", "no", *limit]
        command += ["--ffmpeg-ffmpeg", ffmpeg_path(), "--output", str(written)]
        run([*command, f"{source.case.format.lower()}://{source.url}", "best"], workspace.log, within_s=WITHIN_S)
        return decode(ffmpeg_path(), str(written), workspace.directory / "count", within_s=WITHIN_S)
