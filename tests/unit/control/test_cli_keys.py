"""``keys``, ``ban`` and ``unban``."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.unit.control.fake_server import NOW, FakeServer
from tests.unit.control.printed import data, output
from tests.unit.origin.api.live import status

Capture = pytest.CaptureFixture[str]
DAY = 86_400.0


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("control.cli.keys.time", SimpleNamespace(time=lambda: NOW))
    server = FakeServer(tmp_path / "data")
    server.create("a")
    return server


def failure(server: FakeServer, capsys: Capture, *arguments: str) -> str:
    assert server.run(*arguments) != 0
    printed = capsys.readouterr()
    return printed.err + printed.out


def test_a_key_is_created_listed_rotated_and_revoked(server: FakeServer, capsys: Capture) -> None:
    made = data(
        server, capsys, "keys", "create", "a", "guest", "--expires", "30d", "--from", "203.0.113.7", "--from", "::1"
    )
    assert (made["name"], made["expires_at"]) == ("guest", NOW + 30 * DAY)
    assert made["addresses"] == ["203.0.113.7", "::1"]
    listed = output(server, capsys, "keys", "list", "a")
    assert "guest" in listed and "2026-12-21" in listed and "203.0.113.7, ::1" in listed
    assert made["key"] not in listed
    text = output(server, capsys, "keys", "rotate", "a", "guest")
    assert "not shown again" in text and "203.0.113.7, ::1" in text
    assert asyncio.run(server.catalogue.find_publisher(made["key"])) is None
    assert output(server, capsys, "keys", "revoke", "a", "guest") == "The key guest of a is revoked.\n"
    assert [key["name"] for key in data(server, capsys, "keys", "list", "a")] == ["primary"]
    assert "a has no key guest" in failure(server, capsys, "keys", "revoke", "a", "guest")
    assert data(server, capsys, "keys", "revoke", "a", "primary")["revoked"]
    assert "a has no key: " in output(server, capsys, "keys", "list", "a")
    assert data(server, capsys, "keys", "create", "a", "second", "--backup")["role"] == "backup"


@pytest.mark.parametrize(
    ("expires", "at"),
    [("2026-12-31", 1_798_675_200.0), ("2026-12-31T18:00+01:00", 1_798_736_400.0), ("12h", NOW + DAY / 2)],
)
def test_an_expiry_is_a_duration_or_a_date(server: FakeServer, capsys: Capture, expires: str, at: float) -> None:
    assert data(server, capsys, "keys", "create", "a", "guest", "--expires", expires)["expires_at"] == at
    assert data(server, capsys, "keys", "rotate", "a", "guest", "--expires", "1d")["expires_at"] == NOW + DAY


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["keys"], "Usage"),
        (["keys", "create", "a", "guest", "--expires", "soon"], "--expires"),
        (["keys", "create", "a", "guest", "--expires", "2020-01-01"], "in the past"),
        (["keys", "create", "a", "guest", "--from", "example.org"], "neither an address nor a network"),
        (["keys", "create", "a", "Guest"], "cannot be a key's name"),
        (["keys", "create", "a", "primary"], "a has a key primary already"),
        (["ban", "a", "--for", "0s"], "--for"),
        (["ban", "b"], "there is no stream b"),
        (["unban", "a"], "a is not banned"),
    ],
)
def test_wrong_arguments_are_refused_in_words(
    server: FakeServer, capsys: Capture, arguments: list[str], message: str
) -> None:
    assert message in failure(server, capsys, *arguments)


def test_a_key_that_expires_soon_is_shown_as_a_warning(server: FakeServer, capsys: Capture) -> None:
    output(server, capsys, "keys", "create", "a", "guest", "--expires", "2d")
    assert "Warning: the stream key guest expires in 2 days" in output(server, capsys, "show", "a")


def test_a_stream_is_banned_and_unbanned(server: FakeServer, capsys: Capture) -> None:
    text = output(server, capsys, "ban", "a", "--for", "1h", "--reason", "wrong scene")
    assert text == "a is banned until 2026-11-21 11:41:05 UTC.\n"
    assert "idle banned" in output(server, capsys, "list")
    assert "until 2026-11-21 11:41:05 UTC: wrong scene" in output(server, capsys, "show", "a")
    assert output(server, capsys, "unban", "a") == "a may be published again.\n"
    assert "banned" not in output(server, capsys, "list").lower()
    owner = server.on_air(status("a"))
    assert output(server, capsys, "ban", "a") == "a is banned. Its broadcast is ended.\n"
    assert owner.kills == ["the operator has banned this stream"]
    assert "until `headwater unban`" in output(server, capsys, "show", "a")
    assert data(server, capsys, "unban", "a") == {"stream": "a", "banned": False}
