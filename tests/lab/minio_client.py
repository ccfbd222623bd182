"""MinIO's client mc. It is on PATH, or HEADWATER_TEST_MC is its path."""

import os
import shutil
import subprocess

VARIABLE = "HEADWATER_TEST_MC"
MISSING = f"MinIO's client: skipped, mc is not on PATH and {VARIABLE} does not name its program"


def found_client() -> str | None:
    """Midnight Commander has the same name, so the program has to say which it is."""
    program = os.environ.get(VARIABLE) or shutil.which("mc")
    if program is None:
        return None
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return program if version.startswith("mc version ") else None
