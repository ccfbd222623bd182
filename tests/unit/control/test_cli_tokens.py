"""``token`` and ``create --private``."""

import asyncio
from pathlib import Path

import pytest

from tests.unit.control.fake_server import NOW, FakeServer
from tests.unit.control.printed import data, output

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path / "data"))
    return FakeServer(tmp_path / "data")


def test_create_private_creates_a_private_stream(server: FakeServer, capsys: Capture) -> None:
    output(server, capsys, "create", "a", "--private")
    output(server, capsys, "create", "b")
    assert asyncio.run(server.catalogue.get_stream("a")).settings.private
    assert "headwater token" in output(server, capsys, "show", "a")
    assert "Private" not in output(server, capsys, "show", "b")


def test_token_prints_a_token_and_links(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    made = data(server, capsys, "token", "a", "--for", "90m", "--address", "203.0.113.7/24")
    assert set(made) == {"stream", "token", "expires_at", "address", "hls", "dash", "watch"}
    assert (made["expires_at"], made["address"]) == (int(NOW) + 5400, "203.0.113.0/24")
    assert data(server, capsys, "token", "a")["expires_at"] == int(NOW) + 7200


def test_token_prints_a_readable_summary(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    text = output(server, capsys, "token", "a", "--for", "1d", "--address", "203.0.113.7")
    for part in (
        "https://media.example.org/watch/a?token=",
        "master.m3u8?token=",
        "2026-11-22",
        "from 203.0.113.7 alone",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--for", "soon"], 2, "--for"),
        (["--for", "0s"], 2, "--for"),
        (["--for", "9999d"], 1, "for_s"),
        (["--address", "here"], 1, "neither an address nor a network"),
    ],
)
def test_invalid_arguments_are_refused(
    server: FakeServer, capsys: Capture, arguments: list[str], code: int, message: str
) -> None:
    server.create("a")
    assert server.run("token", "a", *arguments) == code
    assert message in capsys.readouterr().err


def test_a_token_for_an_unknown_stream_is_refused(server: FakeServer, capsys: Capture) -> None:
    assert server.run("token", "b") == 1
    assert capsys.readouterr().err == "headwater: there is no stream b\n"
