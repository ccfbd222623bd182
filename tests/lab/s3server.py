"""A real S3 server for the tests: the configured endpoint, else MinIO if it is installed, else moto's server.

- ``HEADWATER_TEST_S3_ENDPOINT``: a URL; credentials in ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, the
  region in ``AWS_DEFAULT_REGION`` (default us-east-1); buckets are made there and removed again;
- ``HEADWATER_TEST_MINIO``: the path of a ``minio`` program; else the one on ``PATH``;
- moto, in a thread of this process: it checks neither credentials nor regions, so those tests are skipped.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass

from moto.server import ThreadedMotoServer

from tests.lab.minio import found_program, minio
from tests.lab.s3_account import S3Account


@dataclass(frozen=True, slots=True)
class S3Server(S3Account):
    is_moto: bool = False


def s3_report_header() -> str:
    """The line of pytest's header that names the server of the S3 tests."""
    endpoint, program = os.environ.get("HEADWATER_TEST_S3_ENDPOINT"), found_program()
    if endpoint:
        return f"S3 server: {endpoint} (HEADWATER_TEST_S3_ENDPOINT)"
    if program:
        return f"S3 server: MinIO, {program}"
    return "S3 server: moto (no MinIO on PATH or in HEADWATER_TEST_MINIO; tests of credentials are skipped)"


@contextmanager
def running_s3_server() -> Iterator[S3Server]:
    endpoint, program = os.environ.get("HEADWATER_TEST_S3_ENDPOINT"), found_program()
    if endpoint:
        yield S3Server(
            endpoint,
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        )
    elif program:
        with minio() as server:
            yield S3Server(*astuple(server.account))
    else:
        with moto() as server:
            yield server


@contextmanager
def moto() -> Iterator[S3Server]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}", "headwater-test", "any-secret", "us-east-1", is_moto=True)
    finally:
        server.stop()
