"""``hooks``."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.control.fake_server import NOW, FakeServer
from tests.unit.origin.fake_service import dead_letter

Capture = pytest.CaptureFixture[str]
URL = "https://example.org/headwater"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path / "data"))
    return FakeServer(tmp_path / "data")


def output(server: FakeServer, capsys: Capture, *arguments: str) -> str:
    code = server.run("hooks", *arguments)
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return printed.out


def data(server: FakeServer, capsys: Capture, *arguments: str) -> Any:
    return json.loads(output(server, capsys, *arguments, "--json"))


def failure(server: FakeServer, capsys: Capture, *arguments: str) -> str:
    assert server.run("hooks", *arguments) == 1
    return capsys.readouterr().err


def test_a_hook_is_added_listed_and_removed(server: FakeServer, capsys: Capture) -> None:
    assert "No hook yet" in output(server, capsys, "list")
    added = output(server, capsys, "add", URL, "--event", "stream.live", "--event", "stream.ended", "--stream", "a")
    assert "whsec_" in added and "is not shown again" in added
    (hook,) = data(server, capsys, "list")
    listed = output(server, capsys, "list")
    for part in (hook["id"], URL, "stream.live, stream.ended", " a ", "enabled"):
        assert part in listed
    assert "whsec_" not in listed
    assert output(server, capsys, "remove", hook["id"]) == f"The hook {hook['id']} is removed.\n"
    assert "there is no hook" in failure(server, capsys, "remove", hook["id"])


def test_an_unknown_type_of_event_is_wrong_usage(server: FakeServer, capsys: Capture) -> None:
    assert server.run("hooks", "add", URL, "--event", "stream.paused") == 2
    assert "stream.live" in capsys.readouterr().err


def test_a_test_prints_the_answer_in_words(server: FakeServer, capsys: Capture) -> None:
    hook = data(server, capsys, "add", URL)["id"]
    assert output(server, capsys, "test", hook) == "The target took the test: it answered 204 after 0.08 s.\n"
    assert data(server, capsys, "test", hook)["outcome"] == "delivered"
    server.hooks.attempt = server.hooks.attempt.model_copy(
        update={"outcome": "failed", "status": None, "error": "no connection within 3 s"}
    )
    reason = "headwater: the test was not delivered: no connection within 3 s (after 0.08 s)\n"
    assert failure(server, capsys, "test", hook) == reason
    assert server.run("hooks", "test", hook, "--json") == 1
    assert json.loads(capsys.readouterr().out)["error"] == "no connection within 3 s"


def test_the_log_and_the_dead_messages(server: FakeServer, capsys: Capture) -> None:
    hook = data(server, capsys, "add", URL)["id"]
    text = output(server, capsys, "log", hook)
    for part in ("hook.test", "delivered", "204", "0.08 s", "2026-11-21 10:41:05 UTC"):
        assert part in text
    assert output(server, capsys, "log", hook, "--dead") == "No message is dead.\n"
    server.hooks.letters = [dead_letter(hook, "a", NOW)]
    text = output(server, capsys, "log", hook, "--dead")
    for part in ("stream.live", "31", "500 Internal Server Error", "msg_01a1f2c3d4e5_9f86d081a1b2"):
        assert part in text
    assert "has no dead message" in failure(server, capsys, "replay", hook, "--message", "msg_1")
    assert output(server, capsys, "replay", hook) == "1 message is sent again.\n"
    assert output(server, capsys, "replay", hook) == "No message is dead.\n"


def test_a_hook_gets_a_new_secret_and_is_enabled(server: FakeServer, capsys: Capture) -> None:
    added = data(server, capsys, "add", URL)
    assert data(server, capsys, "rotate-secret", added["id"])["secret"] != added["secret"]
    assert output(server, capsys, "enable", added["id"]) == f"The hook {added['id']} is enabled.\n"
