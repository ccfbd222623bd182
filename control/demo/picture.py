"""The ffmpeg of the synthetic broadcaster: a moving picture, a running clock, and a tone that beeps each second.

It encodes with the recommended settings: 1280x720 at 30 fps, a keyframe every 2 s, H.264 tuned for low latency,
AAC.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from control.demo.errors import DemoError

WIDTH, HEIGHT, FPS = 1280, 720, 30
KEYFRAME_INTERVAL_S = 2
VIDEO_BITRATE, AUDIO_BITRATE = "2500k", "128k"
SAMPLE_RATE = 48_000

FONT_DIRECTORIES = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
FONTS = ("DejaVuSansMono-Bold.ttf", "DejaVuSans-Bold.ttf", "LiberationMono-Bold.ttf", "Menlo.ttc", "consola.ttf")


def ffmpeg_command(target: str = "pipe:1") -> list[str]:
    """ffmpeg's arguments to write FLV to ``target``, each frame at once. Raises DemoError."""
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
        flush_packets=1,
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
