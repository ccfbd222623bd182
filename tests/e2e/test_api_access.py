"""API tokens and the audit log of real servers that share a store."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx

from tests.lab.server import Server, serving
from tests.lab.waiting import until

TRUSTED = {"HEADWATER_HTTP__TRUSTED_PROXIES": "127.0.0.1"}
UNTRUSTED = {"HEADWATER_HTTP__TRUSTED_PROXIES": "10.0.0.1"}


def ask(server: Server, token: str, path: str = "/api/v1/access", *, origin: str = "127.0.0.1") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": origin}
    return httpx.get(server.http + path, headers=headers, trust_env=False)


def entries(server: Server, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.json("audit", *options)["entries"]
    return found


def test_a_revoked_token_stops_working_on_every_server_within_seconds(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "store"))
    with serving(tmp_path / "a", *store) as one, serving(tmp_path / "b", *store) as other:
        token = one.json("api-token", "create", "backup")["token"]
        assert ask(other, token).json()["scope"] == "read"
        assert "reason" in ask(other, token, "/readyz").json()
        assert "reason" not in ask(other, "wrong", "/readyz").json()
        assert one.cli("api-token", "revoke", "backup").returncode == 0
        assert ask(one, token).status_code == 401
        until(lambda: ask(other, token).status_code in (401, 429))


def test_the_audit_log_survives_a_killed_server_and_has_the_changes_of_all(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "store"))
    with serving(tmp_path / "b", *store) as other:
        with serving(tmp_path / "a", *store) as one:
            one.json("create", "studio-a", "--title", "A")
            until(lambda: len(list((tmp_path / "store/catalogue/audit").rglob("*.json"))) >= 2)
            os.kill(one.process.pid, signal.SIGKILL)
            one.process.wait()
        other.json("set", "studio-a", "--title", "B")
        found = entries(other, "--stream", "studio-a", "--since", "1h")
        assert [(entry["action"], entry["token"]["name"]) for entry in found] == [
            ("stream-change", "api-token"),
            ("stream-create", "api-token"),
        ]
        assert found[0]["details"] == {"title": {"from": "A", "to": "B"}}


def test_the_address_comes_from_a_trusted_proxy_only(tmp_path: Path) -> None:
    for trusted, expected in ((TRUSTED, "203.0.113.7"), (UNTRUSTED, "127.0.0.1")):
        with serving(tmp_path / expected, environment=trusted) as server:
            headers = {
                "Authorization": f"Bearer {(server.data / 'api-token').read_text().strip()}",
                "X-Forwarded-For": "203.0.113.7",
            }
            body = {"stream": "studio-a"}
            made = httpx.post(f"{server.http}/api/v1/streams", json=body, headers=headers, trust_env=False)
            assert made.status_code == 201
            (entry,) = entries(server, "--stream", "studio-a")
            assert entry["address"] == expected


def test_wrong_tokens_throttle_one_address(tmp_path: Path) -> None:
    with serving(tmp_path, environment=TRUSTED) as server:
        right = (server.data / "api-token").read_text().strip()
        statuses = [ask(server, "wrong", origin="203.0.113.7").status_code for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        assert ask(server, right, origin="203.0.113.7").status_code == 200
        assert ask(server, "wrong", origin="198.51.100.1").status_code == 401
        metrics = httpx.get(f"{server.http}/metrics", trust_env=False).text
        assert 'headwater_api_refused_total{code="too-many-wrong-tokens"} 2.0' in metrics


def test_the_token_of_the_data_directory_is_replaced_without_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        old = (server.data / "api-token").read_text().strip()
        assert server.cli("api-token", "rotate").returncode == 0
        assert ask(server, old).status_code == 401
        assert server.json("list")
        assert entries(server)[0]["action"] == "token-file-replace"
