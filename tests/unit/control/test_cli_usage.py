"""Wrong usage is explained in plain sentences that say what to write instead."""

import json
from pathlib import Path

import pytest
import typer

from control.cli import main
from tests.unit.control.fake_server import FakeServer

Capture = pytest.CaptureFixture[str]

MISTAKES = [
    ("show", "STREAM is missing: write `headwater show STREAM`"),
    ("kil a", "there is no command kil; did you mean kill?"),
    ("xyzzy", "there is no command xyzzy"),
    ("list --wathc", "there is no option --wathc; did you mean --watch?"),
    ("list --xyzzy", "there is no option --xyzzy"),
    ("set a --pubic", "there is no option --pubic; did you mean --public?"),
    ("list -x", "there is no option -x"),
    ("kill a --ban", "--ban needs a value"),
    ("list --json=3", "--json takes no value: write it alone"),
    ("delete a b c", "b c is too much: write `headwater delete STREAM`"),
    ("kill a --ban soon", '--ban: "soon" is not a duration; write "2s", "333ms", "5m" or "1h"'),
    ("serve --rtmp nowhere", '--rtmp: "nowhere" has no port; write HOST:PORT, such as "nowhere:8080"'),
    (
        "set a",
        "nothing to change: give --title, --ladder, --private, --public, --reconnect-window, --slate or "
        "--retention",
    ),
    ("set a --slate film", "--slate film: it must be default, off, last-frame, image"),
    ("demo --to rtmp://h/live", "--to and --key must be used together"),
    ("create a --ladder sauce", '--ladder: "sauce" is not a ladder; did you mean source?'),
    (
        "create a --ladder default",
        '--ladder: "default" is not a ladder; write auto, source, or rungs from high to low such as '
        "720:2500k,360:800k",
    ),
    (
        "set a --ladder 720:2500q",
        '--ladder: "2500q" has an unknown unit; a bitrate is written as "2500k" or "6M" (bits per second)',
    ),
]
# The demo prints no JSON.
WITH_JSON = [each for each in MISTAKES if not each[0].startswith("demo") and "--json" not in each[0]]
TYPERS_WORDS = ("No such", "Missing", "Invalid value", "Got unexpected", "Error", "Try '", "requires an argument")


@pytest.mark.parametrize(("line", "sentence"), MISTAKES)
def test_the_mistake_is_explained(capsys: Capture, line: str, sentence: str) -> None:
    assert main(line.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    explained, usage = printed.err.splitlines()
    assert explained == f"headwater: {sentence}"
    assert usage.startswith("Usage: headwater ") and usage.endswith("; see --help")
    assert not any(words in printed.err for words in TYPERS_WORDS)


@pytest.mark.parametrize(("line", "sentence"), WITH_JSON)
def test_programs_get_the_same_sentence_in_json(capsys: Capture, line: str, sentence: str) -> None:
    command, *arguments = line.split()
    assert main([command, "--json", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert json.loads(printed.err) == {"error": {"code": "usage", "text": sentence}}


def test_what_the_user_wrote_cannot_control_the_terminal(capsys: Capture) -> None:
    for arguments in (["\x1b[2J"], ["list", "--\x1b[2J"], ["list", "\x1b[2J"]):
        assert main(arguments) == 2
        assert "\x1b" not in capsys.readouterr().err


def test_without_arguments_the_help_is_printed(capsys: Capture) -> None:
    assert main([]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Usage: headwater" in printed.out and "rotate-key" in printed.out


def test_a_cancelled_question_is_reported(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    server = FakeServer(tmp_path / "data")
    server.create("a")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", _say_no)
    assert server.run("delete", "a", "--data", str(server.directory.path)) == 1
    assert capsys.readouterr().err == "headwater: nothing was done\n"


def _say_no(*question: object, **options: object) -> None:
    raise typer.Abort
