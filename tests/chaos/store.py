"""The store that fails: MinIO, or a directory if MinIO is not installed."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.lab.minio import MinioServer, minio, missing

BUCKET, PREFIX = "media", "tv"


class Store(Protocol):
    """``kind`` is "process" or "directory". ``config`` are the lines of the section [store]."""

    kind: str
    config: str
    environment: Mapping[str, str]

    def stop(self) -> None: ...
    def start(self) -> None: ...
    def hang(self) -> None: ...
    def resume(self) -> None: ...

    def copy(self, to: Path) -> Path:
        """The folder with all objects."""
        ...


class MinioStore:
    kind = "process"

    def __init__(self, server: MinioServer) -> None:
        self._server = server
        account = server.account
        account.sdk().make_bucket(BUCKET)
        self.environment: Mapping[str, str] = account.environment
        self.config = (
            f'location = "s3://{BUCKET}/{PREFIX}"\ns3_endpoint = "{account.endpoint}"\n'
            f's3_region = "{account.region}"\n'
        )

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def hang(self) -> None:
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._server.send_signal(signal.SIGCONT)

    def copy(self, to: Path) -> Path:
        sdk = self._server.account.sdk()
        for found in sdk.list_objects(BUCKET, f"{PREFIX}/", recursive=True):
            name = str(found.object_name)
            sdk.fget_object(BUCKET, name, str(to / name.removeprefix(f"{PREFIX}/")))
        return to


class DirectoryStore:
    """It stops by being moved away, as a disk that is unmounted."""

    kind = "directory"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._away = directory.with_name("away")
        self.environment: Mapping[str, str] = {}
        self.config = f'location = "{directory}"\n'

    def stop(self) -> None:
        self._directory.rename(self._away)

    def start(self) -> None:
        self._away.rename(self._directory)

    def hang(self) -> None:
        raise NotImplementedError("a directory cannot hang")

    resume = hang

    def copy(self, to: Path) -> Path:
        return self._directory


@contextmanager
def running_store(folder: Path) -> Iterator[Store]:
    if missing() is not None:
        yield DirectoryStore(folder / "store")
        return
    with minio() as server:
        try:
            yield MinioStore(server)
        finally:
            server.send_signal(signal.SIGCONT)
