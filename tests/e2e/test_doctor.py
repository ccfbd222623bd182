"""``headwater doctor`` on a running server, with the real nginx in front and without it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.caches.running import running_cache, with_nginx
from tests.lab.server import Server, serving


def findings(server: Server, cache: str) -> tuple[int, list[dict[str, Any]]]:
    rtmp = urlsplit(server.rtmp).netloc
    result = server.cli("doctor", "--rtmp", rtmp, "--http", server.address, "--cache", cache, "--json")
    return result.returncode, json.loads(result.stdout)


def of(subject: str, found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["state"], each["text"]) for each in found if each["subject"] == subject]


@with_nginx
def test_a_cache_that_is_set_up_well_has_no_fault(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "data") as server,
        running_cache("nginx", server.http_port, tmp_path) as front,
    ):
        url = f"http://127.0.0.1:{front.port}"
        code, found = findings(server, url)
        assert code == 0, found
        assert of("port for RTMP", found) == [("good", f"{urlsplit(server.rtmp).netloc}: the server is running")]
        assert of("cache", found) == [
            ("good", f"{url} forwards /live/ to Headwater"),
            ("good", "metrics and the API are out of strangers' reach"),
            ("warning", f"{url} is not encrypted"),
        ]


def test_a_server_that_is_exposed_shows_its_metrics(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        code, found = findings(server, server.http)
        assert code == 1
        (fault,) = [each for each in found if each["state"] == "fault"]
        assert fault["text"].startswith("strangers reach /metrics")
        assert "docker/nginx.conf" in fault["advice"]
