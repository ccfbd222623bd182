"""A MinIO server of its own, where its program is on PATH or HEADWATER_BENCH_MINIO says where it is."""

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
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import S3Error, ServerError

from bench.stage.errors import BenchError
from bench.stage.ports import HOST, free_port

VARIABLE = "HEADWATER_BENCH_MINIO"
MISSING = f"MinIO: skipped, minio is not on PATH and {VARIABLE} does not say where its program is"
REGION, BUCKET, ACCESS_KEY = "eu-central-1", "headwater-bench", "headwater-bench"
START_S = 30.0
LOOK_EVERY_S = 0.05


def missing() -> str | None:
    """Why there is none, or None."""
    return MISSING if _program() is None else None


@dataclass(slots=True)
class MinioServer:
    """On one port and with one directory, however often it is stopped and started. BUCKET is made at first."""

    directory: Path
    endpoint: str = field(default_factory=lambda: f"http://{HOST}:{free_port()}")
    secret_key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def environment(self) -> dict[str, str]:
        """Where boto3's chain finds these credentials, and nothing else."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def sdk(self, pool: urllib3.PoolManager | None = None) -> Minio:
        """MinIO's own client."""
        address = urlsplit(self.endpoint).netloc
        return Minio(
            address,
            access_key=ACCESS_KEY,
            secret_key=self.secret_key,
            secure=False,
            region=REGION,
            http_client=pool,
        )

    def start(self) -> None:
        """Until it answers. Raises BenchError."""
        program = _program()
        if program is None:
            raise BenchError(MISSING)
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.directory),
            "MINIO_ROOT_USER": ACCESS_KEY,
            "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_SITE_REGION": REGION,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }
        command = [program, "server", str(self.directory / "data"), "--address", urlsplit(self.endpoint).netloc]
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
        """It calls itself ready before it is, and says so with ``Retry-After: 60``: ask without retries."""
        deadline = time.monotonic() + START_S
        with urllib3.PoolManager(retries=False, timeout=5) as pool:
            sdk = self.sdk(pool)
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    if not sdk.bucket_exists(bucket_name=BUCKET):
                        sdk.make_bucket(bucket_name=BUCKET)
                    return
                except (S3Error, ServerError, urllib3.exceptions.HTTPError):
                    time.sleep(LOOK_EVERY_S)
        raise BenchError(f"MinIO did not start: {self._log.read_text(errors='replace')[-500:]}")


@contextmanager
def minio() -> Iterator[MinioServer]:
    """Ended with the block. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="headwater-minio-") as directory:
        server = MinioServer(Path(directory))
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _program() -> str | None:
    named = os.environ.get(VARIABLE)
    return shutil.which(named) if named else shutil.which("minio")
