"""A private MinIO server. Its program is on PATH, or HEADWATER_TEST_MINIO is its path."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.s3_process import S3Process, own_account

VARIABLE = "HEADWATER_TEST_MINIO"
MISSING = f"MinIO: skipped, minio is not on PATH and {VARIABLE} does not name its program"


def missing() -> str | None:
    """Why MinIO cannot be used, or None if it can."""
    return MISSING if found_program() is None else None


def found_program() -> str | None:
    named = os.environ.get(VARIABLE)
    return shutil.which(named) if named else shutil.which("minio")


@dataclass(slots=True)
class MinioServer(S3Process):
    """With a ``domain``, its buckets are also hosts of it."""

    domain: str = ""

    def _arguments(self) -> Sequence[str]:
        return ("server", str(self.directory / "data"), "--address", self.account.address)

    def _variables(self) -> Mapping[str, str]:
        variables = {
            "MINIO_ROOT_USER": self.account.access_key,
            "MINIO_ROOT_PASSWORD": self.account.secret_key,
            "MINIO_SITE_REGION": self.account.region,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }
        return variables | ({"MINIO_DOMAIN": self.domain} if self.domain else {})


@contextmanager
def minio(root: str = "headwater", *, domain: str = "") -> Iterator[MinioServer]:
    """A server that is stopped when the block ends. ``root`` is its first user. Raises LabError."""
    program = found_program()
    if program is None:
        raise LabError(MISSING)
    with tempfile.TemporaryDirectory(prefix="headwater-minio-") as directory:
        server = MinioServer(Path(directory), program, own_account(root), domain=domain)
        try:
            server.start()
            yield server
        finally:
            server.stop()
