"""ffmpeg's own HLS and DASH demuxers: Debian's version, and that of the Python wheel."""

from dataclasses import dataclass

from tests.interop.children import first_line
from tests.interop.counting import decode
from tests.interop.outcome import Decoded, Format, Kind
from tests.interop.readers import Source, Workspace
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.programs import find_program

WITHIN_S = 40.0


@dataclass(frozen=True, slots=True)
class FfmpegReader:
    """``program`` is None for the wheel's."""

    name: str
    program: str | None = None
    formats: tuple[Format, ...] = (Format.HLS, Format.DASH)

    def missing(self) -> str | None:
        if self.program is not None and find_program(self.program) is None:
            return f"{self.program} (Debian: ffmpeg)"
        return None

    def version(self) -> str:
        return first_line([self.path(), "-version"]).split()[2].partition("-")[0].removeprefix("n")

    def read(self, source: Source, workspace: Workspace) -> Decoded:
        seconds = None if source.case.kind is Kind.RECORDING else source.case.seconds
        return decode(self.path(), source.url, workspace.log, seconds=seconds, within_s=WITHIN_S)

    def path(self) -> str:
        return ffmpeg_path() if self.program is None else self.program
