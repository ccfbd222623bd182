"""What a result was taken on."""

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.lab.peers.mediamtx import MEDIAMTX_VARIABLE
from tests.lab.peers.srs import SRS_VARIABLE
from tests.lab.programs import find_program

LIBRARIES = ("av", "uvloop")


@cache
def machine() -> dict[str, str]:
    """Words for a reader, by what they are about."""
    found = {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "nginx": _says("nginx", "-v", r"nginx/(\S+)"),
        "MediaMTX": _says(os.environ.get(MEDIAMTX_VARIABLE, ""), "--version", r"v(\S+)"),
        "SRS": _says(os.environ.get(SRS_VARIABLE, ""), "-v", r"(\S+)"),
        **{library: _installed(library) for library in LIBRARIES},
    }
    return {what: words for what, words in found.items() if words}


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    named = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return named[1] if named else platform.processor() or "unknown"


def _says(name: str, argument: str, pattern: str) -> str:
    path = find_program(name)
    if path is None:
        return ""
    done = subprocess.run([path, argument], capture_output=True, text=True, check=False)
    told = re.search(pattern, done.stdout + done.stderr)
    return told[1] if told else ""


def _installed(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
