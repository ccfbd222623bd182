"""Services of [on_publish] with a real server and RTMP publishers: slow, failing and lying ones, and that of
docs/on-publish.md."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.errors import LabError
from tests.lab.ports import free_port
from tests.lab.rtmp.client import publish
from tests.lab.server import Server, serving
from tests.lab.stopping import stop
from tests.lab.waiting import until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DOCUMENT = Path(__file__).parents[2] / "docs" / "on-publish.md"
KEY = "the-services-own-key"
ALLOW = {"action": "allow"}


@dataclass
class Service:
    """Answers each request with ``status`` and ``answer``, those with the key named ``slow`` when ``released``."""

    answer: object = field(default_factory=lambda: ALLOW)
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def respond(self, body: bytes) -> tuple[int, bytes]:
        data = json.loads(body)["data"]
        self.asked.append(data)
        if data["key_name"] == "slow":
            self.released.wait(30)
        return self.status, self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()


@contextmanager
def a_service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, answer = service.respond(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        service.url = f"http://127.0.0.1:{http.server_port}/on-publish"
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield service
        finally:
            service.released.set()
            http.shutdown()
            thread.join()


def config(url: str, **options: str) -> str:
    values = {"url": url, "secret": SECRET, "timeout": "2s", **options}
    lines = [f'{name} = "{value}"' for name, value in values.items()]
    return "\n".join(['[rtmp]\nidle_timeout = "60s"', "[on_publish]\nsend_key = true", *lines])


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with a_service() as service:
        yield service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("on-publish"), config=config(service.url)) as server:
        yield server


@pytest.fixture(autouse=True)
def obliging(service: Service) -> None:
    service.answer, service.status = ALLOW, 200
    service.asked.clear()


def refusal(server: Server, key: str) -> str:
    with pytest.raises(LabError) as refused:
        publish(f"{server.rtmp}/{key}")
    return str(refused.value)


def count(server: Server, outcome: str) -> float:
    text = httpx.get(f"{server.http}/metrics", trust_env=False).text
    found = re.search(rf'headwater_on_publish_total{{outcome="{outcome}"}} (\S+)', text)
    return float(found[1]) if found else 0.0


def test_an_allowed_publisher_is_accepted(server: Server, service: Service) -> None:
    url = server.create("allowed")
    publish(url).close()
    (asked,) = service.asked
    assert (asked["stream"], asked["key_name"], asked["address"]) == ("allowed", "primary", "127.0.0.1")
    assert (asked["app"], asked["encrypted"], asked["software"]) == ("live", False, "FMLE/3.0 (bench)")
    assert asked["key"] == url.rpartition("/")[2]


def test_a_denied_publisher_gets_the_words_of_the_service(server: Server, service: Service) -> None:
    url = server.create("denied")
    service.answer = {"action": "deny", "message": "Your plan has ended"}
    assert "Your plan has ended" in refusal(server, url.rpartition("/")[2])
    assert count(server, "denied") == 1


def test_a_key_of_the_service_is_mapped_to_a_stream_that_is_created(server: Server, service: Service) -> None:
    service.answer = {"action": "allow", "stream": "mapped"}
    assert "could not check whether you may publish" in refusal(server, KEY)
    service.answer = {"action": "allow", "stream": "mapped", "create": True}
    with publish(f"{server.rtmp}/{KEY}"):
        assert server.json("show", "mapped")["state"] == "live"
    assert server.json("keys", "list", "mapped") == []
    service.answer = ALLOW
    assert "unknown or revoked stream key" in refusal(server, KEY)
    assert KEY not in (server.data / "server.log").read_text()


def test_a_failing_and_a_lying_service_refuse_by_default(server: Server, service: Service) -> None:
    key = server.create("unlucky").rpartition("/")[2]
    for status, answer, outcome in (
        (503, ALLOW, "bad-status"),
        (200, b"<html>", "bad-answer"),
        (200, {"action": "allow", "stream": "../../etc"}, "bad-answer"),
        (200, b" " * 20_000, "too-long"),
        (200, {"action": "allow", "stream": "missing-one"}, "unknown-stream"),
    ):
        service.status, service.answer, before = status, answer, count(server, outcome)
        assert "could not check whether you may publish" in refusal(server, key)
        assert count(server, outcome) == before + 1
    assert "the service of [on_publish] failed" in (server.data / "server.log").read_text()


def test_a_slow_service_delays_only_that_publisher(server: Server, service: Service) -> None:
    server.create("slow")
    slow = server.json("keys", "create", "slow", "slow")["key"]
    other = server.create("quick")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(refusal, server, slow)
        until(lambda: any(asked["key_name"] == "slow" for asked in service.asked), every=0.01)
        publish(other).close()
        assert not waiting.done()
        assert "could not check whether you may publish" in waiting.result(20)
    assert count(server, "timeout") == 1


def test_a_service_that_is_down_may_leave_it_to_the_key(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/on-publish"
    with serving(tmp_path, config=config(url, on_failure="allow")) as server:
        publish(server.create("studio-a")).close()
        assert count(server, "unreachable") == 1
        assert "unknown or revoked stream key" in refusal(server, KEY)


def test_the_example_of_the_documentation_works(tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert example is not None
    (tmp_path / "example.py").write_text(example[1])
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "example:app", "--app-dir", str(tmp_path), "--port", str(port)]
    environment = {**os.environ, "ON_PUBLISH_SECRET": SECRET}
    with (tmp_path / "example.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: "running on" in (tmp_path / "example.log").read_text(), timeout=60)
        url = f"http://127.0.0.1:{port}/on-publish"
        with serving(tmp_path / "data", config=config(url)) as server:
            assert "Your key is not known; sign up" in refusal(server, "nobodys-key")
            with publish(f"{server.rtmp}/alices-key"):
                assert server.json("show", "alice")["state"] == "live"
        unsigned = httpx.post(
            url,
            content=b"{}",
            headers={"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,x"},
            trust_env=False,
        )
        assert unsigned.status_code == 401
    finally:
        stop(process, 10)
