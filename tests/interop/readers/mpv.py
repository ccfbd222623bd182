"""mpv, in its encoding mode: what it decodes is written uncompressed, as small pictures, and counted."""

from dataclasses import dataclass

from tests.interop.children import first_line, run
from tests.interop.counting import decode
from tests.interop.outcome import Decoded, Format, Kind
from tests.interop.readers import Source, Workspace
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.programs import find_program

WITHIN_S = 40.0
OUTPUT = ("--vf=scale=64:36", "--of=nut", "--ovc=rawvideo", "--oac=pcm_s16le", "--audio-channels=stereo")


@dataclass(frozen=True, slots=True)
class MpvReader:
    name: str = "mpv"
    formats: tuple[Format, ...] = (Format.HLS, Format.DASH)

    def missing(self) -> str | None:
        return None if find_program("mpv") else "mpv (Debian: mpv)"

    def version(self) -> str:
        return first_line(["mpv", "--version"]).split()[1]

    def read(self, source: Source, workspace: Workspace) -> Decoded:
        written = workspace.directory / "decoded.nut"
        limit = [] if source.case.kind is Kind.RECORDING else [f"--length={source.case.seconds:g}"]
        command = ["mpv", "--no-config", "--no-terminal", *OUTPUT, *limit, f"--o={written}", source.url]
        run(command, workspace.log, within_s=WITHIN_S)
        return decode(ffmpeg_path(), str(written), workspace.directory / "count", within_s=WITHIN_S)
