"""Named stream keys and bans of a real server, as an RTMP publisher and the operator see them."""

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.lab.errors import LabError
from tests.lab.rtmp.client import publish
from tests.lab.server import Server, serving
from tests.lab.waiting import until

ANSWER_S = 10.0
# The publishers send no media.
CONFIG = '[rtmp]\nidle_timeout = "60s"\n'


def refusal(server: Server, key: str) -> str:
    with pytest.raises(LabError) as refused:
        publish(f"{server.rtmp}/{key}")
    return str(refused.value)


def last_words(connection: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    connection.settimeout(ANSWER_S)
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def key_of(server: Server, name: str, *options: str) -> str:
    made: dict[str, Any] = server.json("keys", "create", "studio-a", name, *options)
    key: str = made["key"]
    return key


def test_named_keys_from_creation_to_revocation(tmp_path: Path) -> None:
    with serving(tmp_path, config=CONFIG) as server:
        server.create("studio-a")
        guest = key_of(server, "guest", "--expires", "2d", "--from", "127.0.0.0/8")
        elsewhere = key_of(server, "elsewhere", "--from", "203.0.113.0/24")
        assert "the stream key elsewhere is not valid from this address (127.0.0.1)" in refusal(server, elsewhere)
        with publish(f"{server.rtmp}/{guest}") as connection:
            shown = server.json("show", "studio-a")
            assert shown["publisher"]["key"] == "guest"
            assert "key-expires" in [warning["code"] for warning in shown["warnings"]]
            used = {key["name"]: key["last_used_from"] for key in server.json("keys", "list", "studio-a")}
            assert used == {"primary": None, "guest": "127.0.0.1", "elsewhere": None}
            assert server.cli("keys", "revoke", "studio-a", "guest").returncode == 0
            assert b"the stream key guest was revoked" in last_words(connection)
        assert "unknown or revoked stream key" in refusal(server, guest)
        until(lambda: server.json("show", "studio-a")["state"] == "idle")
        assert "guest was revoked" in server.cli("events", "studio-a").stdout
        actions = {entry["action"]: entry for entry in server.json("audit")["entries"]}
        assert actions["stream-key-revoke"]["details"] == {"name": "guest"}
        log = (server.data / "server.log").read_text()
        assert guest not in log and elsewhere not in log


def test_a_ban_of_an_idle_stream_survives_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path, config=CONFIG) as server:
        key = server.create("studio-a").rpartition("/")[2]
        assert not server.json("ban", "studio-a", "--reason", "wrong scene")["ended"]
    with serving(tmp_path, config=CONFIG) as server:
        assert server.json("show", "studio-a")["ban"] == {"until": None, "reason": "wrong scene"}
        assert "the operator has banned this stream: wrong scene" in refusal(server, key)
        assert server.cli("unban", "studio-a").returncode == 0
        with publish(f"{server.rtmp}/{key}") as connection:
            assert server.json("ban", "studio-a", "--for", "1h")["ended"]
            assert b"the operator has banned this stream" in last_words(connection)
        assert "for another 3" in refusal(server, key)
