"""``api-token`` and ``audit``."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from control.cli import main
from control.version import version
from tests.unit.control.fake_server import NOW, FakeServer
from tests.unit.control.printed import data, output

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("control.cli.audit.time", SimpleNamespace(time=lambda: NOW))
    return FakeServer(tmp_path / "data")


def failure(server: FakeServer, capsys: Capture, *arguments: str) -> str:
    assert server.run(*arguments) == 1
    return capsys.readouterr().err


def test_a_created_token_is_used_and_then_revoked(
    server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = data(server, capsys, "api-token", "create", "backup", "--scope", "operate", "--for", "30d")
    assert (made["name"], made["scope"], made["expires_at"]) == ("backup", "operate", NOW + 30 * 86_400)
    with monkeypatch.context() as context:
        context.setenv("HEADWATER_TOKEN", made["token"])
        assert data(server, capsys, "list") == []
        missing = "this needs a token with the scope admin: the token backup has operate"
        assert missing in failure(server, capsys, "create", "a")
        assert missing in failure(server, capsys, "audit")
        revoke = ("api-token", "revoke", "backup", "--token", server.directory.api_token())
        assert output(server, capsys, *revoke) == "backup is revoked.\n"
        assert "mistyped, revoked" in failure(server, capsys, "list")
    assert data(server, capsys, "api-token", "list") == []
    assert failure(server, capsys, "api-token", "revoke", "backup") == "headwater: there is no token backup\n"


def test_tokens_are_read_by_default_and_listed_without_the_secret(server: FakeServer, capsys: Capture) -> None:
    assert "No token yet" in output(server, capsys, "api-token", "list")
    text = output(server, capsys, "api-token", "create", "wall")
    token = next(word for word in text.split() if word.startswith("hw_wall_"))
    assert "read" in text and "it is revoked" in text and "not shown again" in text
    listed = output(server, capsys, "api-token", "list")
    assert "wall" in listed and "2026-11-21" in listed and token not in listed
    (item,) = data(server, capsys, "api-token", "list")
    assert set(item) == {"name", "id", "scope", "created_at", "expires_at", "last_used_at"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["api-token"], 2, "Usage"),
        (["api-token", "create", "a", "--scope", "root"], 2, "--scope"),
        (["api-token", "create", "a", "--for", "0s"], 2, "--for"),
        (["api-token", "create", "a", "--for", "99999d"], 1, "for_s"),
        (["api-token", "create", "A b"], 1, "cannot be a token's name"),
        (["api-token", "create", "api-token"], 1, "is the token in the data directory"),
        (["audit", "--since", "soon"], 2, "--since"),
        (["audit", "--limit", "0"], 2, "--limit"),
    ],
)
def test_invalid_arguments_are_refused(
    server: FakeServer, capsys: Capture, arguments: list[str], code: int, message: str
) -> None:
    assert server.run(*arguments) == code
    printed = capsys.readouterr()
    assert message in printed.err + printed.out


def test_audit_lists_changes_with_who_and_what(server: FakeServer, capsys: Capture) -> None:
    assert output(server, capsys, "audit") == "Nothing was changed in 7d.\n"
    data(server, capsys, "create", "a", "--title", "A")
    data(server, capsys, "set", "a", "--title", "B")
    data(server, capsys, "create", "b")
    data(server, capsys, "api-token", "create", "wall", "--for", "1d")
    text = output(server, capsys, "audit", "--stream", "a")
    for part in ("api-token (file)", "stream-change", f"headwater/{version()}", 'title "A" to "B"', "2026-11-21"):
        assert part in text
    page = data(server, capsys, "audit", "--since", "1d")
    assert sorted(entry["stream"] or "" for entry in page["entries"]) == ["", "a", "a", "b"]
    assert "name wall; scope read; expires 2026-11-22" in output(server, capsys, "audit")
    assert page["complete_since"] == NOW - 86_400
    assert "are left out" in output(server, capsys, "audit", "--since", "9999d")


def test_rotate_replaces_the_token_of_the_data_directory(server: FakeServer, capsys: Capture) -> None:
    old = server.directory.api_token()
    assert "is replaced" in output(server, capsys, "api-token", "rotate")
    new = server.directory.api_token()
    assert new.startswith("hw_api-token_") and new != old
    assert data(server, capsys, "list") == []
    assert "not this server's" in failure(server, capsys, "list", "--token", old)
    assert data(server, capsys, "api-token", "rotate") == {"file": str(server.directory.token_file)}


def test_rotate_needs_a_data_directory(tmp_path: Path, capsys: Capture) -> None:
    assert main(["api-token", "rotate", "--data", str(tmp_path / "none")]) == 1
    assert "name its directory with --data" in capsys.readouterr().err
