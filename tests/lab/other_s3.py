"""S3 servers that are neither AWS nor MinIO, found on PATH. .ci/run has their versions."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.ports import HOST, free_port
from tests.lab.s3_account import S3Account
from tests.lab.s3_process import S3Process


@dataclass(slots=True)
class VersityGateway(S3Process):
    """Objects are files. It closes the connection after each answer."""

    def _arguments(self) -> Sequence[str]:
        data, metadata = self.directory / "data", self.directory / "metadata"
        for folder in (data, metadata):
            folder.mkdir(exist_ok=True)
        # Metadata in files of their own: not every file system has extended attributes.
        return ("--port", self.account.address, "--quiet", "posix", "--sidecar", str(metadata), str(data))

    def _variables(self) -> Mapping[str, str]:
        return {
            "ROOT_ACCESS_KEY": self.account.access_key,
            "ROOT_SECRET_KEY": self.account.secret_key,
            "VGW_REGION": self.account.region,
        }


@dataclass(slots=True)
class GoFakeS3(S3Process):
    """Objects are in memory. It checks no credentials and knows no regions."""

    def _arguments(self) -> Sequence[str]:
        return ("-host", self.account.address, "-backend", "memory", "-quiet")

    def _variables(self) -> Mapping[str, str]:
        return {}


@dataclass(slots=True)
class SeaweedFS(S3Process):
    """Objects are in volumes of several. Its listings are in the order of directories, not of keys."""

    def _arguments(self) -> Sequence[str]:
        data, identities = self.directory / "data", self.directory / "identities.json"
        data.mkdir(exist_ok=True)
        credentials = [{"accessKey": self.account.access_key, "secretKey": self.account.secret_key}]
        identity = {"name": "headwater", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List"]}
        identities.write_text(json.dumps({"identities": [identity]}))
        ports = [
            f"-{role}.port{kind}={free_port()}" for role in ("master", "volume", "filer") for kind in ("", ".grpc")
        ]
        place = (
            f"-dir={data}",
            f"-ip={HOST}",
            f"-ip.bind={HOST}",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=20",
        )
        s3 = (
            f"-s3.port={self.account.address.rpartition(':')[2]}",
            f"-s3.port.grpc={free_port()}",
            f"-s3.config={identities}",
        )
        return (f"-logdir={self.directory}", "server", "-filer", "-s3", *place, *ports, *s3)

    def _variables(self) -> Mapping[str, str]:
        return {}


SERVERS: Mapping[str, type[S3Process]] = {"versitygw": VersityGateway, "gofakes3": GoFakeS3, "weed": SeaweedFS}


def missing(name: str) -> str | None:
    """Why the server cannot be used, or None if it can."""
    return None if shutil.which(name) else f"{name}: skipped, it is not installed (.ci/run shows how)"


@contextmanager
def other_s3(name: str) -> Iterator[S3Account]:
    """A server that is stopped when the block ends. Raises LabError."""
    program = shutil.which(name)
    if program is None:
        raise LabError(f"{name} is not installed")
    with tempfile.TemporaryDirectory(prefix=f"headwater-{name}-") as directory:
        server = SERVERS[name](Path(directory), program)
        try:
            server.start()
            yield server.account
        finally:
            server.stop()
