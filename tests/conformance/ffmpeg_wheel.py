"""The ffmpeg of the imageio-ffmpeg wheel, as an independent decoder."""

import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]


def decoding_errors(path: Path) -> str:
    """ffmpeg's standard error when it decodes all tracks of ``path``: empty if there is no error."""
    executable = imageio_ffmpeg.get_ffmpeg_exe()
    command = [executable, "-nostdin", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return result.stderr or ("" if result.returncode == 0 else f"exit status {result.returncode}")
