"""A real S3 server for the tests: the endpoint that is named, else a MinIO that is found, else moto's server.

- ``HEADWATER_TEST_S3_ENDPOINT``: a URL; credentials in ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, the
  region in ``AWS_DEFAULT_REGION`` (us-east-1 where it is not set); buckets are made there and removed again;
- ``HEADWATER_TEST_MINIO``: the path of a ``minio`` program; else one on ``PATH``;
- moto, in a thread of this process: it checks no credentials and knows no regions, so those tests are skipped.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import S3Error, ServerError
from moto.server import ThreadedMotoServer

from bench.stage.ports import free_port

START_SECONDS = 30
REGION = "eu-central-1"


@dataclass(frozen=True, slots=True)
class S3Server:
    endpoint: str
    access_key: str
    secret_key: str
    region: str
    is_moto: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """Where boto3's chain finds these credentials, and nothing else."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def sdk(self, pool: urllib3.PoolManager | None = None) -> Minio:
        """MinIO's own client, as a reader that shares no code with boto3."""
        url = urlsplit(self.endpoint)
        return Minio(
            url.netloc,
            access_key=self.access_key,
            secret_key=self.secret_key,
            secure=url.scheme == "https",
            region=self.region,
            http_client=pool,
        )

    @contextmanager
    def bucket(self) -> Iterator[str]:
        """A new bucket, removed with all that is in it."""
        name, sdk = f"headwater-test-{secrets.token_hex(6)}", self.sdk()
        sdk.make_bucket(bucket_name=name)
        try:
            yield name
        finally:
            for found in sdk.list_objects(bucket_name=name, recursive=True):
                assert found.object_name is not None
                sdk.remove_object(bucket_name=name, object_name=found.object_name)
            sdk.remove_bucket(bucket_name=name)


def s3_report_header() -> str:
    """One line for pytest's header: which server the S3 tests run against."""
    endpoint, minio = os.environ.get("HEADWATER_TEST_S3_ENDPOINT"), _find_minio()
    if endpoint:
        return f"S3 server: {endpoint} (HEADWATER_TEST_S3_ENDPOINT)"
    if minio:
        return f"S3 server: MinIO, {minio}"
    return "S3 server: moto (no MinIO on PATH or in HEADWATER_TEST_MINIO; tests of credentials are skipped)"


@contextmanager
def running_s3_server() -> Iterator[S3Server]:
    endpoint, minio = os.environ.get("HEADWATER_TEST_S3_ENDPOINT"), _find_minio()
    if endpoint:
        yield S3Server(
            endpoint,
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        )
    elif minio:
        with (
            tempfile.TemporaryDirectory(prefix="headwater-minio-") as directory,
            _minio(minio, Path(directory)) as server,
        ):
            yield server
    else:
        with _moto() as server:
            yield server


def _find_minio() -> str | None:
    return os.environ.get("HEADWATER_TEST_MINIO") or shutil.which("minio")


@contextmanager
def _minio(program: str, directory: Path) -> Iterator[S3Server]:
    server = S3Server(f"http://127.0.0.1:{free_port()}", "headwater-test", secrets.token_hex(16), REGION)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(directory),
        "MINIO_ROOT_USER": server.access_key,
        "MINIO_ROOT_PASSWORD": server.secret_key,
        "MINIO_SITE_REGION": server.region,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(
            [program, "server", str(directory / "data"), "--address", urlsplit(server.endpoint).netloc],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(server, process, directory / "log")
        yield server
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(server: S3Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """MinIO calls itself ready before it is, and answers that it is not with ``Retry-After: 60``: ask without
    retries, for what the tests will ask."""
    deadline = time.monotonic() + START_SECONDS
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        sdk = server.sdk(pool)
        while process.poll() is None and time.monotonic() < deadline:
            try:
                sdk.list_buckets()
                return
            except (S3Error, ServerError, urllib3.exceptions.HTTPError):
                time.sleep(0.05)
    raise RuntimeError(f"MinIO did not start: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def _moto() -> Iterator[S3Server]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        yield S3Server(f"http://{host}:{port}", "headwater-test", "any-secret", "us-east-1", is_moto=True)
    finally:
        moto.stop()
