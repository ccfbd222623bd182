"""Describes the machine and the software of a result."""

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tests.lab.peers.mediamtx import MEDIAMTX_VARIABLE
from tests.lab.peers.srs import SRS_VARIABLE
from tests.lab.programs import find_program

LIBRARIES = ("av", "uvloop")


@cache
def machine() -> dict[str, str]:
    """Readable descriptions, by topic."""
    found = {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "nginx": _output("nginx", "-v", r"nginx/(\S+)"),
        "MediaMTX": _output(os.environ.get(MEDIAMTX_VARIABLE, ""), "--version", r"v(\S+)"),
        "SRS": _output(os.environ.get(SRS_VARIABLE, ""), "-v", r"(\S+)"),
        **{library: version(library) for library in LIBRARIES},
    }
    return {what: words for what, words in found.items() if words}


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    named = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return named[1] if named else platform.processor() or "unknown"


def _output(name: str, argument: str, pattern: str) -> str:
    path = find_program(name)
    if path is None:
        return ""
    done = subprocess.run([path, argument], capture_output=True, text=True, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else ""
