"""What a command imports, because it costs each call of the CLI."""

import subprocess
import sys

HEAVY = {"av", "boto3", "botocore", "fastapi", "ingest", "packager", "uvicorn", "worker"}
SCRIPT = "import sys, control.cli.app; print(*{name.partition('.')[0] for name in sys.modules})"


def test_the_commands_do_not_import_the_server() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "control" in loaded
    assert HEAVY & loaded == set()
