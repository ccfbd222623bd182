"""The events of a real server: a stream that comes, goes on air and goes; the server's end."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.server import Server, serving

Message = tuple[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server-events")) as server:
        yield server


@contextmanager
def following(server: Server, token: str | None = None) -> Iterator[Iterator[Message]]:
    token = token or (server.data / "api-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{server.http}/api/v1/events", headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield messages(answer)


def messages(answer: httpx.Response) -> Iterator[Message]:
    name = ""
    for line in answer.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def wait_for(news: Iterator[Message], wanted: Callable[[Message], bool]) -> Any:
    """What the first wanted message says."""
    return next(data for name, data in news if wanted((name, data)))


def test_a_broadcast_from_its_start_to_its_end(server: Server, tmp_path: Path) -> None:
    clip = make_clip(Clip(4, size="320x180"), tmp_path / "clip.flv")
    with following(server) as news:
        name, streams = next(news)
        assert name == "streams" and "studio" not in [stream["stream"] for stream in streams]
        url = server.create("studio", ladder="source")
        created = wait_for(news, lambda m: m[0] == "stream" and m[1]["stream"] == "studio")
        assert created["state"] == "idle"
        with publishing(clip, url):
            live = wait_for(news, lambda m: m[0] == "stream" and m[1]["state"] == "live")
            assert live["stream"] == "studio" and live["broadcast"]
            started = wait_for(news, lambda m: m[0] == "event")
            assert (started["stream"], started["broadcast"], started["code"]) == (
                "studio",
                live["broadcast"],
                "started",
            )
            ended = wait_for(news, lambda m: m[0] == "event" and m[1]["code"] == "ended")
            assert ended["broadcast"] == live["broadcast"]
        server.delete("studio")
        assert wait_for(news, lambda m: m[0] == "removed") == {"stream": "studio"}


def test_the_server_is_told_of_once_a_second(server: Server) -> None:
    with following(server) as news:
        first = wait_for(news, lambda m: m[0] == "server")
        assert first["draining"] is None and abs(first["at"] - time.time()) < 60
        assert wait_for(news, lambda m: m[0] == "server")["at"] > first["at"]


def test_it_needs_a_token(server: Server) -> None:
    assert httpx.get(f"{server.http}/api/v1/events").status_code == 401


def test_the_server_stops_although_somebody_follows_it(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, following(server) as news:
        next(news)
        assert server.stop() == 0
        # httpx raises an exception if the answer was cut off instead of ended.
        assert "removed" not in [name for name, _ in news]
