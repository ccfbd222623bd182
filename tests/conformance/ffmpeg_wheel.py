"""The ffmpeg of the imageio-ffmpeg wheel as an outside reader: it decodes all, and complains of nothing."""

import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]


def complaints(path: Path) -> str:
    """What ffmpeg says on standard error when it decodes every track of ``path``."""
    executable = imageio_ffmpeg.get_ffmpeg_exe()
    command = [executable, "-nostdin", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return result.stderr or ("" if result.returncode == 0 else f"exit status {result.returncode}")
