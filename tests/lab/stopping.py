"""Ends a child process."""

import subprocess


def stop(process: "subprocess.Popen[str] | subprocess.Popen[bytes]", within_s: float) -> None:
    """Terminate it, and kill it if it has not ended after ``within_s`` seconds."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
