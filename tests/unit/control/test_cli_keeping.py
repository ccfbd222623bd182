"""The commands about recordings: ``broadcasts``, ``store usage``, retention and ``delete --purge``."""

import asyncio
import json
from pathlib import Path

import pytest

from control.cli import main
from storage.catalogue.records import BroadcastRecord, Retention
from tests.unit.control.fake_server import NOW, FakeServer

OLD, NEW = "20261101t000000z-aaaaaa", "20261102t000000z-bbbbbb"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path))
    server = FakeServer(tmp_path)
    server.create("a")
    for broadcast in (OLD, NEW):
        record = BroadcastRecord(
            stream="a",
            broadcast=broadcast,
            started_at=NOW - 86_400,
            ended_at=NOW - 86_340,
            duration_s=60.0,
            bytes=1_500_000_000,
        )
        asyncio.run(server.catalogue.put_broadcast(record))
    return server


def run(server: FakeServer, capsys: Capture, *arguments: str, code: int = 0) -> str:
    assert server.run(*arguments) == code
    printed = capsys.readouterr()
    return printed.out if code == 0 else printed.err


def listed(server: FakeServer, capsys: Capture, *options: str) -> list[str]:
    return [one["broadcast"] for one in json.loads(run(server, capsys, "broadcasts", "a", "--json", *options))]


def test_a_recording_is_listed_kept_and_deleted(server: FakeServer, capsys: Capture) -> None:
    assert run(server, capsys, "broadcasts", "keep", "a", OLD) == f"{OLD} is kept.\n"
    assert "ended, kept" in run(server, capsys, "broadcasts", "list", "a")
    assert "release it first" in run(server, capsys, "broadcasts", "delete", "a", OLD, "--yes", code=1)
    assert json.loads(run(server, capsys, "broadcasts", "keep", "a", OLD, "--release", "--json")) == {
        "stream": "a",
        "broadcast": OLD,
        "kept": False,
    }
    assert "add --yes" in run(server, capsys, "broadcasts", "delete", "a", OLD, code=1)
    assert run(server, capsys, "broadcasts", "delete", "a", OLD, "--yes") == f"{OLD} is deleted.\n"
    assert listed(server, capsys) == [NEW]


@pytest.mark.parametrize("arguments", [["a"], ["--json", "a"], ["list", "a"], ["a", "--json"]])
def test_without_a_command_recordings_are_listed(server: FakeServer, capsys: Capture, arguments: list[str]) -> None:
    assert OLD in run(server, capsys, "broadcasts", *arguments)


def test_without_a_stream_the_usage_is_explained(server: FakeServer, capsys: Capture) -> None:
    assert "write `headwater broadcasts list STREAM`" in run(server, capsys, "broadcasts", code=2)
    assert "sweep" in run(server, capsys, "broadcasts", "--help")


def test_a_sweep(server: FakeServer, capsys: Capture) -> None:
    assert run(server, capsys, "broadcasts", "sweep") == "No recording has to go.\n"
    run(server, capsys, "set", "a", "--retention", "count=1")
    dry = run(server, capsys, "broadcasts", "sweep", "--dry-run")
    assert OLD in dry
    assert "max-count" in dry
    assert "1 recordings of 1.5 GB would be deleted." in dry
    assert listed(server, capsys) == [NEW, OLD]
    found = json.loads(run(server, capsys, "broadcasts", "sweep", "--json"))
    assert [one["broadcast"] for one in found["recordings"]] == [OLD]
    assert listed(server, capsys) == [NEW]


def test_what_recordings_occupy(server: FakeServer, capsys: Capture) -> None:
    text = run(server, capsys, "store", "usage")
    assert "2 recordings, 3.0 GB. 42.9 GB of the disk's 107.4 GB are free." in text
    assert json.loads(run(server, capsys, "store", "usage", "--json"))["streams"] == [
        {"stream": "a", "bytes": 3_000_000_000, "recordings": 2, "kept": 0}
    ]


def test_a_purge(server: FakeServer, capsys: Capture) -> None:
    text = run(server, capsys, "delete", "a", "--purge", "--yes")
    assert text == "a is deleted, and its recordings are being deleted.\n"
    assert "are being deleted" in run(server, capsys, "create", "a", code=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30d", '"30d" is no limit; write all, or limits such as age=30d,size=500GB,count=20'),
        ("age=soon", '"soon" is not a duration'),
        ("age=1s", "out of range"),
        ("size=2x", "unknown unit"),
        ("count=many", "many is not a number of recordings"),
        ("days=3", '"days=3" is no limit'),
    ],
)
def test_a_wrong_retention_is_explained(server: FakeServer, capsys: Capture, text: str, words: str) -> None:
    assert words in run(server, capsys, "set", "a", "--retention", text, code=2)


def test_all_recordings_stay(server: FakeServer, capsys: Capture) -> None:
    run(server, capsys, "set", "a", "--retention", "all")
    assert asyncio.run(server.catalogue.get_stream("a")).settings.retention == Retention()
    assert "all recordings stay" in run(server, capsys, "show", "a")


def test_commands_of_a_group_have_help(capsys: Capture) -> None:
    for group, command in (("broadcasts", "sweep"), ("broadcasts", "keep"), ("store", "usage")):
        assert main([group, command, "--help"]) == 0
        assert f"headwater {group} {command}" in capsys.readouterr().out
