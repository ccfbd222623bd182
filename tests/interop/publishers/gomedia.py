"""gomedia, an RTMP library for Go, in the small program of tests/interop/gomedia."""

from dataclasses import dataclass
from pathlib import Path

from tests.interop.children import run
from tests.interop.outcome import PUBLISHED_S
from tests.interop.publishers import Target

WITHIN_S = 30.0
FOLDER = Path(__file__).parents[1] / "gomedia"
PROGRAM = FOLDER / "gomedia"
MODULE = "github.com/yapingcat/gomedia"


@dataclass(frozen=True, slots=True)
class GomediaPublisher:
    name: str = "gomedia"
    codecs: str = "H.264, AAC"
    refused: bool = False

    def missing(self) -> str | None:
        return None if PROGRAM.exists() else "gomedia (Go: make interop-tools)"

    def version(self) -> str:
        """The date and the commit of the pseudo-version."""
        (version,) = (line.split()[-1] for line in (FOLDER / "go.mod").read_text().splitlines() if MODULE in line)
        return version.partition("-")[2]

    def publish(self, target: Target) -> None:
        command = [str(PROGRAM), "-flv", str(target.clip), "-url", target.url, "-seconds", f"{PUBLISHED_S:g}"]
        run(command, target.log, within_s=WITHIN_S)
