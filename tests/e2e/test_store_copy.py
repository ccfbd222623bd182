"""A store is copied to a bucket and back to a directory, where another server plays its recording."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.broadcaster import Clip, make_clip, play, publishing
from tests.lab.s3server import S3Server, running_s3_server
from tests.lab.server import HEADWATER, Server, serving
from tests.lab.waiting import until

STREAM = "studio"
CONFIG = '[transcoder]\nladder = "source"\n'
SECONDS, FPS = 4, 30


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with running_s3_server() as server:
        yield server


def copy(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*HEADWATER, "store", "copy", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ})


def contents(store: Path) -> dict[str, bytes]:
    """The objects that a copy has to have."""
    own = ("catalogue/store.json", "catalogue/copy.json", ".headwater/")
    found = {path.relative_to(store).as_posix(): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    return {key: body for key, body in found.items() if not key.startswith(own)}


def record(server: Server, clip: Path) -> str:
    with publishing(clip, server.create(STREAM)) as publisher:
        assert publisher.wait(60) == 0, publisher.stderr
    until(lambda: [one["state"] for one in server.json("broadcasts", STREAM)] == ["ended"], timeout=30)
    return str(server.json("broadcasts", STREAM)[0]["broadcast"])


def test_a_server_plays_from_the_copy_of_a_copy(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HEADWATER_STORE__S3_REGION", s3.region)
    clip = make_clip(Clip(SECONDS, size="320x180", fps=FPS, video_kbps=300), tmp_path / "clip.flv")
    first, back = tmp_path / "first", tmp_path / "back"
    with s3.bucket() as bucket:
        place = f"s3://{bucket}/backup"
        to_bucket = ("--to", place, "--to-s3-endpoint", s3.endpoint, "--to-s3-region", s3.region)
        with serving(first, config=CONFIG) as server:
            broadcast = record(server, clip)
            # While the server runs, and again: what is there already is not copied twice.
            done = copy("--data", str(first), *to_bucket, "--json")
            assert done.returncode == 0, done.stderr
            again = json.loads(copy("--data", str(first), *to_bucket, "--full", "--json").stdout)
            assert again["present"] == len(list((first / "store").rglob("*.m4s"))) + len(
                list((first / "store").rglob("*.mp4"))
            )
        assert copy("--data", str(first), *to_bucket).returncode == 0
        from_bucket = ("--store", place, "--s3-endpoint", s3.endpoint)
        restored = copy(*from_bucket, "--to", str(back / "store"))
        assert restored.returncode == 0, restored.stderr
        assert f"to {back / 'store'}." in restored.stdout
        assert contents(back / "store") == contents(first / "store")

        with serving(back, config=CONFIG) as server:
            played = play(f"{server.http}/live/{STREAM}/{broadcast}/master.m3u8")
            assert (played.errors, played.frames) == ("", SECONDS * FPS)
            assert [one["broadcast"] for one in server.json("broadcasts", STREAM)] == [broadcast]
            refused = copy(*from_bucket, "--to", str(back / "store"))
            assert (refused.returncode, "choose an empty place" in refused.stderr) == (1, True)


def test_a_place_inside_the_store_or_without_one_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "store"
    (store / "live").mkdir(parents=True)
    for place in (store, store / "backup", tmp_path):
        refused = copy("--store", str(store), "--to", str(place))
        assert (refused.returncode, "are not apart" in refused.stderr) == (1, True)
    empty = copy("--store", str(store), "--to", str(tmp_path / "copy"))
    assert (empty.returncode, "there is no store of Headwater" in empty.stderr) == (1, True)
    assert not (tmp_path / "copy").exists()
    assert copy("--store", str(store), "--to", "ftp://host/x").returncode == 2
