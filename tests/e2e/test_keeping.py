"""Recordings of a real server: kept, swept, deleted and purged, with a real ffmpeg as publisher."""

import json
import os
import signal
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, play, publishing
from tests.lab.server import Server, serving
from tests.lab.waiting import until

STREAM = "studio"
CONFIG = '[transcoder]\nladder = "source"\n'
DAY = 86_400.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(Clip(4, size="320x180", video_kbps=300), tmp_path_factory.mktemp("clips") / "clip.flv")


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For what has to happen while it is on air."""
    return make_clip(Clip(60, size="320x180", video_kbps=300), tmp_path_factory.mktemp("clips") / "clip.flv")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, config=CONFIG) as server:
        yield server


def broadcast(server: Server, clip: Path, url: str) -> str:
    """Record the clip; returns the id of its broadcast."""
    known = {one["broadcast"] for one in server.json("broadcasts", STREAM)}
    with publishing(clip, url) as publisher:
        assert publisher.wait(60) == 0, publisher.stderr
    until(lambda: all(one["state"] == "ended" for one in server.json("broadcasts", STREAM)), timeout=30)
    (made,) = {one["broadcast"] for one in server.json("broadcasts", STREAM)} - known
    return str(made)


def files(server: Server, name: str) -> list[Path]:
    """The files of the store that belong to ``name``."""
    return [path for path in (server.data / "store").rglob("*") if path.is_file() and name in str(path)]


def status(server: Server, path: str) -> tuple[int, str]:
    answer = httpx.get(f"{server.http}/live/{path}", trust_env=False)
    return answer.status_code, answer.text


def deletions(server: Server) -> list[dict[str, Any]]:
    return [entry for entry in server.json("audit")["entries"] if entry["action"] == "broadcast-deleted"]


def age(server: Server, name: str, seconds: float) -> None:
    """Let a recording have ended earlier."""
    (path,) = (server.data / "store/catalogue/broadcasts" / STREAM).glob(f"{name}.json")
    record = json.loads(path.read_text())
    record["started_at"] -= seconds
    record["ended_at"] -= seconds
    path.write_text(json.dumps(record))


def test_recordings_are_kept_swept_and_deleted(server: Server, clip: Path, long_clip: Path) -> None:
    url = server.create(STREAM)
    with publishing(long_clip, url):
        live = until(lambda: server.json("show", STREAM)["broadcast"], timeout=30)
        refused = server.cli("broadcasts", "delete", STREAM, live, "--yes")
        assert (refused.returncode, "is on air" in refused.stderr) == (1, True)
        server.json("kill", STREAM)
    until(lambda: server.json("broadcasts", STREAM)[0]["state"] == "ended", timeout=30)
    kept = live
    swept, recent = broadcast(server, clip, url), broadcast(server, clip, url)

    use = server.json("store", "usage")
    (stream,) = use["streams"]
    media = sum(path.stat().st_size for path in (server.data / "store/live").rglob("*.m4s"))
    assert (stream["recordings"], stream["bytes"]) == (3, media)
    assert 0 < use["free_bytes"] < use["capacity_bytes"]

    server.json("set", STREAM, "--retention", "count=0")
    server.json("broadcasts", "keep", STREAM, kept)
    for name in (kept, swept):
        age(server, name, DAY)
    # A player may still be behind the one that has just ended.
    dry = server.json("broadcasts", "sweep", "--dry-run")
    assert [one["broadcast"] for one in dry["recordings"]] == [swept]
    assert files(server, swept)
    server.json("broadcasts", "sweep")
    until(lambda: status(server, f"{STREAM}/{swept}/master.m3u8")[0] != 200)
    code, text = status(server, f"{STREAM}/{swept}/master.m3u8")
    assert code in (404, 410)
    assert "gone: this recording was deleted" in text or "not there" in text
    until(lambda: not files(server, swept))
    played = play(f"{server.http}/live/{STREAM}/{kept}/master.m3u8")
    assert (played.errors, played.frames > 0) == ("", True)

    assert status(server, f"{STREAM}/master.m3u8")[0] == 200
    server.json("broadcasts", "delete", STREAM, recent, "--yes")
    until(lambda: not files(server, recent))
    assert status(server, f"{STREAM}/master.m3u8")[0] == 404
    assert [one["broadcast"] for one in server.json("broadcasts", STREAM)] == [kept]

    until(lambda: len(deletions(server)) == 2)
    entries = deletions(server)
    assert {(one["details"]["broadcast"], one["details"]["cause"]) for one in entries} == {
        (swept, "max-count"),
        (recent, "request"),
    }
    assert all(one["details"]["objects"] > 5 and one["details"]["bytes"] > 1000 for one in entries)
    metrics = httpx.get(f"{server.http}/metrics", trust_env=False).text
    assert 'headwater_recordings_deleted_total{cause="request"} 1.0' in metrics
    assert 'headwater_recordings{stream="studio"}' in metrics


class Cache(ThreadingHTTPServer):
    """Remembers the paths that it was asked to forget."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Purged)
        self.purged: list[str] = []


class Purged(BaseHTTPRequestHandler):
    server: Cache

    def do_PURGE(self) -> None:
        self.server.purged.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cache() -> Iterator[Cache]:
    with Cache() as cache:
        thread = Thread(target=cache.serve_forever, args=(0.01,))
        thread.start()
        yield cache
        cache.shutdown()
        thread.join()


def test_a_cache_is_asked_to_forget_a_deleted_recording(cache: Cache, tmp_path: Path) -> None:
    name = "20261101t000000z-aaaaaa"
    media = tmp_path / "store/live" / STREAM / name
    record = tmp_path / "store/catalogue/broadcasts" / STREAM / f"{name}.json"
    for path in (media / "vsource", record.parent):
        path.mkdir(parents=True)
    (media / "master.m3u8").write_text("#EXTM3U")
    (media / "vsource/1.m4s").write_bytes(b"media")
    times = {"started_at": 1.0, "ended_at": 61.0, "duration_s": 60.0, "bytes": 5}
    record.write_text(json.dumps({"stream": STREAM, "broadcast": name, **times}))
    config = f'[cache]\npurge_urls = ["http://127.0.0.1:{cache.server_port}/tv"]\n[retention]\nmax_age = "1d"\n'
    with serving(tmp_path, config=config) as server:
        swept = server.json("broadcasts", "sweep")["recordings"]
        assert [(one["broadcast"], one["cause"]) for one in swept] == [(name, "max-age")]
        until(lambda: len(cache.purged) == 2)
        until(lambda: not files(server, name))
    prefix = f"/tv/live/{STREAM}/{name}"
    assert cache.purged == [f"{prefix}/master.m3u8", f"{prefix}/vsource/1.m4s"]


def test_a_purge_is_continued_by_the_next_server(clip: Path, long_clip: Path, tmp_path: Path) -> None:
    with serving(tmp_path, config=CONFIG) as server:
        url = server.create(STREAM)
        server.json("broadcasts", "keep", STREAM, broadcast(server, clip, url))
        with publishing(long_clip, url):
            until(lambda: server.json("show", STREAM)["state"] == "live", timeout=30)
            assert server.cli("delete", STREAM, "--purge", "--yes").returncode == 0
            os.kill(server.pid, signal.SIGKILL)
            server.process.wait()
    with serving(tmp_path, config=CONFIG) as server:
        until(lambda: not files(server, STREAM), timeout=30)
        assert server.cli("create", STREAM).returncode == 0
