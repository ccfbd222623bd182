"""An S3 server in a process of its own, with a directory for its data and its log."""

import os
import secrets
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
from minio.error import MinioException

from tests.lab.errors import LabError
from tests.lab.ports import HOST, free_port
from tests.lab.s3_account import S3Account
from tests.lab.stopping import stop

REGION = "eu-central-1"
START_S = 30.0
# SeaweedFS waits half a minute for its own connections.
STOP_S = 5.0
LOOK_EVERY_S = 0.05


def own_account(user: str = "headwater") -> S3Account:
    return S3Account(f"http://{HOST}:{free_port()}", user, secrets.token_hex(16), REGION)


@dataclass(slots=True)
class S3Process(ABC):
    """A restarted server keeps its port and its directory."""

    directory: Path
    program: str
    account: S3Account = field(default_factory=own_account)
    _process: "subprocess.Popen[bytes] | None" = None

    @abstractmethod
    def _arguments(self) -> Sequence[str]: ...

    @abstractmethod
    def _variables(self) -> Mapping[str, str]: ...

    def start(self) -> None:
        """Start it, and wait until it answers. Raises LabError."""
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.directory), **self._variables()}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.program, *self._arguments()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait(self._process)

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, STOP_S)
            self._process = None

    def send_signal(self, number: signal.Signals) -> None:
        """SIGSTOP makes it hang, SIGCONT ends that."""
        if self._process is not None:
            self._process.send_signal(number)

    @property
    def _log(self) -> Path:
        return self.directory / "server.log"

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
                except (MinioException, urllib3.exceptions.HTTPError):
                    time.sleep(LOOK_EVERY_S)
        raise LabError(f"{self.program} did not start: {self._log.read_text(errors='replace')[-2000:]}")
