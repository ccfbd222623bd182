"""A private MinIO server. Its program is on PATH, or HEADWATER_TEST_MINIO is its path."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
from minio.error import S3Error, ServerError

from tests.lab.errors import LabError
from tests.lab.ports import HOST, free_port
from tests.lab.s3_account import S3Account

VARIABLE = "HEADWATER_TEST_MINIO"
MISSING = f"MinIO: skipped, minio is not on PATH and {VARIABLE} does not name its program"
REGION = "eu-central-1"
START_S = 30.0
LOOK_EVERY_S = 0.05


def missing() -> str | None:
    """Why MinIO cannot be used, or None if it can."""
    return MISSING if found_program() is None else None


def found_program() -> str | None:
    named = os.environ.get(VARIABLE)
    return shutil.which(named) if named else shutil.which("minio")


def _own_account() -> S3Account:
    return S3Account(f"http://{HOST}:{free_port()}", "headwater", secrets.token_hex(16), REGION)


@dataclass(slots=True)
class MinioServer:
    """A restarted server keeps its port and its directory."""

    directory: Path
    program: str
    account: S3Account = field(default_factory=_own_account)
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, and wait until it answers. Raises LabError."""
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.directory),
            "MINIO_ROOT_USER": self.account.access_key,
            "MINIO_ROOT_PASSWORD": self.account.secret_key,
            "MINIO_SITE_REGION": self.account.region,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }
        command = [self.program, "server", str(self.directory / "data"), "--address", self.account.address]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait(self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    @property
    def _log(self) -> Path:
        return self.directory / "minio.log"

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask for buckets, without retries: MinIO reports itself ready too early, and refuses requests with
        ``Retry-After: 60`` until it is."""
        deadline = time.monotonic() + START_S
        with urllib3.PoolManager(retries=False, timeout=5) as pool:
            sdk = self.account.sdk(pool)
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    sdk.list_buckets()
                    return
                except (S3Error, ServerError, urllib3.exceptions.HTTPError):
                    time.sleep(LOOK_EVERY_S)
        raise LabError(f"MinIO did not start: {self._log.read_text(errors='replace')[-2000:]}")


@contextmanager
def minio() -> Iterator[MinioServer]:
    """A server that is stopped when the block ends. Raises LabError."""
    program = found_program()
    if program is None:
        raise LabError(MISSING)
    with tempfile.TemporaryDirectory(prefix="headwater-minio-") as directory:
        server = MinioServer(Path(directory), program)
        try:
            server.start()
            yield server
        finally:
            server.stop()
