"""The store of a live broadcast is deleted and made again: the rest of the broadcast is a recording that plays."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av
import m3u8
import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.minio import minio, missing
from tests.lab.s3_account import S3Account
from tests.lab.server import serving
from tests.lab.waiting import until

SECONDS = 16
BUCKET = "media"


class Place(Protocol):
    """Where a store is."""

    @property
    def config(self) -> str: ...

    @property
    def environment(self) -> dict[str, str]: ...

    def make(self) -> None: ...

    def delete(self) -> None: ...

    def read(self) -> dict[str, bytes]:
        """All objects."""
        ...


@dataclass(frozen=True)
class Directory:
    path: Path

    @property
    def config(self) -> str:
        return f'[store]\nlocation = "{self.path}"\n'

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def make(self) -> None:
        self.path.mkdir()

    def delete(self) -> None:
        # The server may be writing into it.
        shutil.rmtree(self.path.rename(self.path.with_name("deleted")))

    def read(self) -> dict[str, bytes]:
        files = (path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)): path.read_bytes() for path in files}


@dataclass(frozen=True)
class Bucket:
    account: S3Account

    @property
    def config(self) -> str:
        endpoint, region = self.account.endpoint, self.account.region
        return f'[store]\nlocation = "s3://{BUCKET}"\ns3_endpoint = "{endpoint}"\ns3_region = "{region}"\n'

    @property
    def environment(self) -> dict[str, str]:
        return self.account.environment

    def make(self) -> None:
        self.account.sdk().make_bucket(bucket_name=BUCKET)

    def delete(self) -> None:
        # MinIO's own header, because the server may be writing into the bucket.
        self.account.sdk()._execute("DELETE", bucket_name=BUCKET, headers={"X-Minio-Force-Delete": "true"})

    def read(self) -> dict[str, bytes]:
        sdk, found = self.account.sdk(), {}
        for each in sdk.list_objects(bucket_name=BUCKET, recursive=True):
            assert each.object_name is not None
            with sdk.get_object(bucket_name=BUCKET, object_name=each.object_name) as answer:
                found[each.object_name] = answer.read()
        return found


@pytest.fixture(params=["directory", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "directory":
        yield Directory(tmp_path / "store")
        return
    if reason := missing():
        pytest.skip(reason)
    with minio() as server:
        yield Bucket(server.account)


def names(place: Place, ending: str) -> set[str]:
    return {key for key in place.read() if key.startswith("live/alpha/") and key.endswith(ending)}


def test_the_rest_of_the_broadcast_plays(place: Place, tmp_path: Path) -> None:
    place.make()
    clip = make_clip(Clip(SECONDS, size="320x180"), tmp_path / "clip.flv")
    with serving(tmp_path / "data", config=place.config, environment=place.environment) as server:
        with publishing(clip, server.create("alpha", ladder="source")) as publisher:
            until(lambda: len(names(place, ".m4s")) >= 2)
            place.delete()
            place.make()
            until(lambda: len(names(place, "init-0.mp4")) == 2)
            assert publisher.wait(40) == 0, publisher.stderr
        until(lambda: all(stream["state"] == "idle" for stream in server.json("list")))
        assert server.stop() == 0
    objects = place.read()
    (recording,) = (key for key in objects if key.endswith("vsource/recording.m3u8"))
    folder = recording.rpartition("/")[0]
    playlist = m3u8.loads(objects[recording].decode())
    gaps = [segment.gap_tag is not None for segment in playlist.segments]
    assert gaps == sorted(gaps, reverse=True)
    assert 1 <= sum(gaps) < len(gaps)
    media = [segment.uri for segment in playlist.segments if segment.gap_tag is None]
    played = tmp_path / "rest.mp4"
    played.write_bytes(b"".join(objects[f"{folder}/{name}"] for name in ("init-0.mp4", *media)))
    with av.open(str(played)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 4 * 30
