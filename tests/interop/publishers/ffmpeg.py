"""ffmpeg with each codec that it can put into RTMP: Debian's version, and that of the Python wheel."""

from dataclasses import dataclass

from tests.interop.children import run
from tests.interop.outcome import FPS, PUBLISHED_S
from tests.interop.publishers import Target
from tests.interop.readers.ffmpeg import FfmpegReader

WITHIN_S = 30.0
PICTURES = ("-re", "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={FPS}")
SOUND = ("-re", "-f", "lavfi", "-i", "sine=sample_rate=48000")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-bf", "2")
AAC = ("-c:a", "aac", "-ac", "2")


@dataclass(frozen=True, slots=True)
class FfmpegPublisher:
    """``options`` choose the encoders; ``program`` is None for the wheel's."""

    codecs: str
    options: tuple[str, ...]
    refused: bool = False
    title: str = "ffmpeg of the wheel"
    program: str | None = None

    @property
    def name(self) -> str:
        return f"{self.title}, {self.codecs}"

    @property
    def reader(self) -> FfmpegReader:
        return FfmpegReader(self.title, self.program)

    def missing(self) -> str | None:
        return self.reader.missing()

    def version(self) -> str:
        return self.reader.version()

    def publish(self, target: Target) -> None:
        command = [self.reader.path(), "-hide_banner", "-nostdin", "-v", "warning", *PICTURES, *SOUND]
        command += ["-t", f"{PUBLISHED_S:g}", "-pix_fmt", "yuv420p", *self.options, "-f", "flv", target.url]
        run(command, target.log, within_s=WITHIN_S)
