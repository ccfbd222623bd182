"""A real store that stops while a broadcast ends."""

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from minio.error import S3Error

from tests.lab import minio
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.minio import MinioServer
from tests.lab.server import serving

BUCKET = "media"
CLIP_S = 8
# Longer than a shutdown waits for the store.
OUTAGE_S = 7.0
PATIENCE_S = 60.0

pytestmark = pytest.mark.skipif(minio.missing() is not None, reason=str(minio.missing()))


def config(store: MinioServer) -> str:
    return f"""
[store]
location = "s3://{BUCKET}/tv"
s3_endpoint = "{store.account.endpoint}"
s3_region = "{store.account.region}"
[transcoder]
ladder = "source"
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def stored(store: MinioServer, key: str) -> str:
    """The text of an object; empty if it does not exist."""
    try:
        answer = store.account.sdk().get_object(BUCKET, key)
    except S3Error:
        return ""
    with answer:
        return answer.read().decode()


def keys(store: MinioServer, prefix: str) -> list[str]:
    return [str(found.object_name) for found in store.account.sdk().list_objects(BUCKET, prefix, recursive=True)]


def assert_complete(store: MinioServer) -> None:
    """The only broadcast is recorded whole."""
    (record,) = keys(store, "tv/catalogue/broadcasts/studio/")
    wait_until(lambda: json.loads(stored(store, record))["ended_at"] is not None)
    found = json.loads(stored(store, record))
    recording = stored(store, f"tv/live/studio/{found['broadcast']}/vsource/recording.m3u8")
    assert found["duration_s"] == pytest.approx(CLIP_S, abs=0.2)
    assert found["bytes"] > 0
    assert recording.rstrip().endswith("#EXT-X-ENDLIST")
    assert sum(map(float, re.findall(r"#EXTINF:([\d.]+)", recording))) == pytest.approx(CLIP_S, abs=0.2)
    assert "EXT-X-GAP" not in recording


def test_a_broadcast_that_ends_in_an_outage_is_complete_afterwards(tmp_path: Path) -> None:
    clip = make_clip(Clip(CLIP_S), tmp_path / "clip.flv")
    with minio.minio() as store:
        store.account.sdk().make_bucket(BUCKET)
        with serving(tmp_path / "data", config=config(store), environment=store.account.environment) as server:
            with publishing(clip, server.create("studio")) as ffmpeg:
                wait_until(lambda: any(key.endswith("vsource/1.m4s") for key in keys(store, "tv/live/studio/")))
                store.stop()
                assert ffmpeg.wait(PATIENCE_S) == 0
            time.sleep(OUTAGE_S)
            store.start()
            assert_complete(store)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_server_that_ends_in_an_outage_has_is_uploaded_at_the_next_start(
    tmp_path: Path, end: signal.Signals
) -> None:
    clip = make_clip(Clip(CLIP_S), tmp_path / "clip.flv")
    data, settings = tmp_path / "data", "[rtmp]\nreconnect_window = '1s'\n"
    with minio.minio() as store:
        store.account.sdk().make_bucket(BUCKET)
        environment = store.account.environment
        with serving(data, config=config(store) + settings, environment=environment) as server:
            with publishing(clip, server.create("studio")) as ffmpeg:
                wait_until(lambda: any(key.endswith("vsource/1.m4s") for key in keys(store, "tv/live/studio/")))
                store.stop()
                assert ffmpeg.wait(PATIENCE_S) == 0
            wait_until(lambda: len(list((data / "spool" / "media").rglob("*.m4s"))) >= 6)
            server.process.send_signal(end)
            server.process.wait(PATIENCE_S)
        store.start()
        with serving(data, config=config(store) + settings, environment=environment):
            assert_complete(store)
            wait_until(lambda: not [path for path in (data / "spool").rglob("*") if path.is_file()])
