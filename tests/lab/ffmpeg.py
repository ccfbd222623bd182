"""The ffmpeg program of a Python wheel, driven by ffmpeg-python."""

import ffmpeg  # type: ignore[import-untyped]
import imageio_ffmpeg  # type: ignore[import-untyped]


def ffmpeg_path() -> str:
    path: str = imageio_ffmpeg.get_ffmpeg_exe()
    return path


def command_of(output: "ffmpeg.nodes.OutputStream", *, log: str = "error") -> list[str]:
    """The command line that makes ``output``; ffmpeg logs nothing below the level ``log``."""
    quiet = output.global_args("-hide_banner", "-nostats", "-loglevel", log)
    command: list[str] = quiet.compile(cmd=ffmpeg_path())
    return command
