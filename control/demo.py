"""A synthetic broadcaster: ffmpeg with a moving picture, a running clock, and a tone that beeps each second.

It publishes with the recommended settings: 1280x720 at 30 fps, a keyframe every 2 s, H.264 tuned for low
latency, AAC.
"""

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from control.errors import ControlError

WIDTH, HEIGHT, FPS = 1280, 720, 30
KEYFRAME_INTERVAL_S = 2
VIDEO_BITRATE, AUDIO_BITRATE = "2500k", "128k"
SAMPLE_RATE = 48_000

# Seconds after which the end of the process is not caused by its settings.
STEADY_S = 30.0
MAX_FAILURES = 5
END_TIMEOUT_S = 5.0
LAST_LINES = 3

FONT_DIRECTORIES = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
FONTS = ("DejaVuSansMono-Bold.ttf", "DejaVuSans-Bold.ttf", "LiberationMono-Bold.ttf", "Menlo.ttc", "consola.ttf")


class DemoError(ControlError):
    """The synthetic broadcaster cannot run; the text gives the reason."""

    code: ClassVar[str] = "demo"


class Broadcaster:
    """Publishes to ``url``/``key`` until stopped. Raises DemoError if its packages are missing.

    ``command`` returns the arguments of the process to run; tests replace it.
    """

    def __init__(self, url: str, key: str, *, command: Callable[[str], list[str]] | None = None) -> None:
        self._key = key
        self._command = (command or ffmpeg_command)(f"{url.rstrip('/')}/{key}")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self, *, retry_s: float = 1.0) -> None:
        """Publish until :meth:`stop`; retry after failures. Raises DemoError after ``MAX_FAILURES`` in a row."""
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            output = self._publish()
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - started >= STEADY_S else failures + 1
            if failures >= MAX_FAILURES:
                raise DemoError(f"the demo's ffmpeg ended {failures} times in a row; its last output: {output}")
            self._stopping.wait(failures * retry_s)

    def stop(self) -> None:
        """End the broadcast; callable from any thread, and more than once."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            _end(process)

    def _publish(self) -> str:
        """Run the process once. Returns the last lines of its output, without the key."""
        with self._lock:
            if self._stopping.is_set():
                return ""
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                # Ctrl-C must reach this program only, which then ends the broadcast before the server.
                start_new_session=True,
            )
            self._process = process
        try:
            assert process.stderr is not None
            with process.stderr as lines:
                last = deque((line.strip() for line in lines), maxlen=LAST_LINES)
            process.wait()
        finally:
            _end(process)
        return " / ".join(last).replace(self._key, "…") or f"nothing (exit code {process.returncode})"


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ffmpeg_command(target: str) -> list[str]:
    """ffmpeg's arguments to publish to ``target``. Raises DemoError."""
    try:
        import ffmpeg  # type: ignore[import-untyped]
        import imageio_ffmpeg  # type: ignore[import-untyped]
    except ImportError as error:
        raise DemoError(
            f"the demo needs the package {error.name}, which is not installed: pip install 'headwater[demo]'"
        ) from None
    try:
        executable = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise DemoError(f"the demo cannot find an ffmpeg: {error}") from None
    output = ffmpeg.output(
        _picture(ffmpeg, find_font()),
        _sound(ffmpeg),
        target,
        format="flv",
        flvflags="no_duration_filesize",
        **_video_settings(),
        acodec="aac",
        audio_bitrate=AUDIO_BITRATE,
        ar=SAMPLE_RATE,
        ac=2,
    )
    quiet = output.global_args("-hide_banner", "-nostats", "-loglevel", "error")
    arguments: list[str] = quiet.compile(cmd=executable)
    return arguments


def find_font(directories: tuple[Path, ...] = FONT_DIRECTORIES) -> Path | None:
    """A font file for the clock; None on a machine without fonts."""
    for directory in directories:
        fonts = {file.name: file for file in _fonts(directory)}
        for name in FONTS:
            if name in fonts:
                return fonts[name]
        if fonts:
            return fonts[min(fonts)]
    return None


def _fonts(directory: Path) -> Iterator[Path]:
    return (file for pattern in ("**/*.ttf", "**/*.ttc") for file in directory.glob(pattern))


def _picture(ffmpeg: Any, font: Path | None) -> Any:
    """The test picture, which counts the seconds since its start, with the time of day on top."""
    picture = ffmpeg.input(f"testsrc2=size={WIDTH}x{HEIGHT}:rate={FPS}", format="lavfi", re=None).video
    if font is None:
        return picture
    return picture.drawtext(
        text="%{localtime:%T.%3N}",
        escape_text=False,
        fontfile=str(font),
        fontsize=HEIGHT // 8,
        fontcolor="white",
        box=1,
        boxcolor="black@0.6",
        boxborderw=HEIGHT // 36,
        x="(w-text_w)/2",
        y="h-2*text_h",
    )


def _sound(ffmpeg: Any) -> Any:
    tone = f"sine=frequency=220:beep_factor=4:sample_rate={SAMPLE_RATE}"
    return ffmpeg.input(tone, format="lavfi", re=None).audio.filter("volume", 0.25)


def _video_settings() -> dict[str, Any]:
    keyframe_every = FPS * KEYFRAME_INTERVAL_S
    return {
        "vcodec": "libx264",
        "preset": "veryfast",
        "tune": "zerolatency",
        "pix_fmt": "yuv420p",
        "video_bitrate": VIDEO_BITRATE,
        "maxrate": VIDEO_BITRATE,
        "bufsize": VIDEO_BITRATE,
        "g": keyframe_every,
        "keyint_min": keyframe_every,
        "sc_threshold": 0,
    }
