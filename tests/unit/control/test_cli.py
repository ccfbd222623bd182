"""The commands that use a server: their output, its stream, and their exit codes."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from control.cli import main
from control.cli.tables import stream_table
from live.status import StreamState
from storage.catalogue.records import BroadcastRecord
from tests.unit.control.fake_server import NOW, FakeServer
from tests.unit.origin.api.live import BROADCAST, status

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path / "data"))
    return FakeServer(tmp_path / "data")


def output(server: FakeServer, capsys: Capture, *arguments: str) -> str:
    assert server.run(*arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def data(server: FakeServer, capsys: Capture, *arguments: str) -> Any:
    return json.loads(output(server, capsys, *arguments, "--json"))


def failure(server: FakeServer, capsys: Capture, *arguments: str, code: int = 1) -> str:
    assert server.run(*arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return printed.err


def test_create_prints_the_obs_settings(server: FakeServer, capsys: Capture) -> None:
    text = output(server, capsys, "create", "studio-a")
    assert "rtmp://media.example.org:1935/live" in text
    assert "https://media.example.org/watch/studio-a" in text
    made = data(server, capsys, "create", "studio-b", "--title", "B", "--ladder", "source")
    assert set(made) == {"stream", "server", "key", "watch"}
    record = asyncio.run(server.catalogue.find_by_key(made["key"]))
    assert record is not None
    assert (record.stream, record.settings.title, record.settings.ladder) == ("studio-b", "B", "source")
    assert failure(server, capsys, "create", "studio-b") == "headwater: there is a stream studio-b already\n"
    assert "ladder" in failure(server, capsys, "create", "studio-c", "--ladder", "sauce")


def test_rotate_key(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    first, second = data(server, capsys, "rotate-key", "a"), data(server, capsys, "rotate-key", "a")
    assert first["key"] != second["key"]
    assert asyncio.run(server.catalogue.find_by_key(first["key"])) is None
    assert failure(server, capsys, "rotate-key", "b") == "headwater: there is no stream b\n"


def test_delete_asks_for_confirmation(server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    server.create("a", "b")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert "add --yes" in failure(server, capsys, "delete", "a")
    assert output(server, capsys, "delete", "a", "--yes") == "a is deleted.\n"
    assert data(server, capsys, "delete", "b", "--yes") == {"stream": "b", "deleted": True}
    assert "there is no stream a" in failure(server, capsys, "delete", "a", "--yes")


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, ["a"]), ("y", 0, [])])
def test_delete_follows_the_answer_at_a_terminal(
    server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: list[str]
) -> None:
    server.create("a")
    terminal = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert server.run("delete", "a") == code
    assert "Delete the stream a?" in capsys.readouterr().err
    assert [stream["stream"] for stream in data(server, capsys, "list")] == left


def test_list_in_json_has_a_stable_schema(server: FakeServer, capsys: Capture) -> None:
    server.create("idle", "studio")
    server.on_air(status("studio"))
    live, idle = data(server, capsys, "list")
    assert (live["stream"], live["state"], idle["state"]) == ("studio", "live", "idle")
    assert set(live) == set(idle)
    assert set(live) >= {
        "stream",
        "state",
        "broadcast",
        "uptime_s",
        "source",
        "renditions",
        "publisher",
        "warnings",
    }
    assert set(live["source"]) == {
        "codec",
        "width",
        "height",
        "fps",
        "bitrate_bps",
        "keyframe_interval_s",
        "audio",
    }
    assert set(live["renditions"][0]) == {
        "track",
        "kind",
        "codec",
        "width",
        "height",
        "fps",
        "sample_rate",
        "bitrate_bps",
        "encoded",
    }
    assert set(live["publisher"]) == {"address", "software", "connected_s"}
    assert set(live["warnings"][0]) == {"code", "text", "since_s"}


def test_list_prints_a_table(server: FakeServer, capsys: Capture) -> None:
    assert "headwater create STREAM" in output(server, capsys, "list")
    server.create("idle", "studio")
    server.on_air(status("studio"))
    heading, live, idle = output(server, capsys, "list").splitlines()
    assert heading.split() == ["STREAM", "STATE", "UPTIME", "SOURCE", "RENDITIONS", "PUBLISHER"]
    assert live.startswith("studio  live   1:01")
    assert "h264 1280x720 30 fps 2.5 Mb/s, keyframe every 8.3 s" in live
    assert "vsource asource" in live
    assert "203.0.113.7:50114 obs-output module" in live
    assert idle.split() == ["idle", "idle", "-", "-", "-", "-"]


def test_a_publishers_text_cannot_control_the_terminal(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    live = status("a")
    assert live.publisher is not None
    hostile = live.publisher.model_copy(update={"software": "\x1b]0;owned\x07 [bold red]x[/] \u202e"})
    server.on_air(live.model_copy(update={"publisher": hostile}))
    text = output(server, capsys, "list")
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "[bold red]x[/]" in text


def test_list_watch_ends_with_ctrl_c(server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    server.create("a")
    rounds = []

    def sleep(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("control.cli.live.time.sleep", sleep)
    assert server.run("list", "--watch") == 0
    assert len(server.urls) == 3
    assert "STREAM" in capsys.readouterr().out
    assert "--watch" in failure(server, capsys, "list", "--watch", "--json", code=2)


def test_show_prints_everything_including_warnings(server: FakeServer, capsys: Capture) -> None:
    server.create("studio", "idle")
    server.on_air(status("studio", StreamState.WAITING))
    text = output(server, capsys, "show", "studio")
    for part in (
        "waiting",
        BROADCAST,
        "https://media.example.org/watch/studio",
        "aac 48 kHz stereo 160 kb/s",
        "avc1.64001f",
        "connected 1:01",
        "Warning: keyframe every 8.3 s: set Keyframe Interval to 2 s in OBS, Settings, Output",
    ):
        assert part in text
    assert "idle" in output(server, capsys, "show", "idle")
    assert data(server, capsys, "show", "studio") == data(server, capsys, "list")[0]
    assert "there is no stream x" in failure(server, capsys, "show", "x")


def test_show_of_an_audio_only_stream(server: FakeServer, capsys: Capture) -> None:
    server.create("radio")
    live = status("radio")
    assert live.source is not None
    source = live.source.model_copy(
        update={"codec": None, "width": None, "height": None, "fps": None, "keyframe_interval_s": None}
    )
    server.on_air(live.model_copy(update={"source": source, "publisher": None}))
    assert "aac only 2.5 Mb/s" in output(server, capsys, "show", "radio")


def test_kill(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    assert failure(server, capsys, "kill", "a") == "headwater: a is not live: there is nothing to end\n"
    owner = server.on_air(status("a"))
    assert output(server, capsys, "kill", "a") == "a is off the air.\n"
    assert data(server, capsys, "kill", "a", "--ban", "60", "--reason", "wrong stream") == {
        "stream": "a",
        "banned_until": NOW + 60,
    }
    assert "refused for 90 s" in output(server, capsys, "kill", "a", "--ban", "90")
    assert owner.kills == ["ended by the operator", "wrong stream", "ended by the operator"]
    assert asyncio.run(server.catalogue.get_stream("a")).banned_until == NOW + 90
    assert "--ban" in failure(server, capsys, "kill", "a", "--ban", "-1", code=2)
    assert "there is no stream b" in failure(server, capsys, "kill", "b")


def test_broadcasts(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    assert output(server, capsys, "broadcasts", "a") == "a has not been live yet.\n"
    record = BroadcastRecord(
        stream="a",
        broadcast=BROADCAST,
        started_at=NOW,
        ended_at=NOW + 4335,
        duration_s=4335.0,
        bytes=1_284_000_000,
    )
    asyncio.run(server.catalogue.put_broadcast(record))
    text = output(server, capsys, "broadcasts", "a")
    for part in (
        BROADCAST,
        "ended",
        "1:12:15",
        "1.3 GB",
        f"https://media.example.org/live/a/{BROADCAST}/master.m3u8",
    ):
        assert part in text
    (listed,) = data(server, capsys, "broadcasts", "a")
    assert set(listed) >= {
        "broadcast",
        "state",
        "started_at",
        "ended_at",
        "duration_s",
        "bytes",
        "hls",
        "dash",
        "watch",
    }


def test_version(capsys: Capture) -> None:
    assert main(["version"]) == 0
    text = capsys.readouterr().out
    assert main(["version", "--json"]) == 0
    assert text == f"headwater {json.loads(capsys.readouterr().out)['version']}\n"


@pytest.mark.parametrize(
    "arguments",
    [["show"], ["list", "--nonsense"], ["nonsense"], ["kill", "a", "--ban", "soon"], ["delete", "a", "b"]],
)
def test_wrong_usage_exits_with_code_2(server: FakeServer, capsys: Capture, arguments: list[str]) -> None:
    assert "Usage: headwater" in failure(server, capsys, *arguments, code=2)
    assert server.urls == []


def test_every_command_has_help(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    commands = ("serve", "create", "rotate-key", "delete", "list", "show", "kill", "broadcasts", "demo", "version")
    for command in commands:
        assert command in text
        assert main([command, "--help"]) == 0
        assert f"headwater {command}" in capsys.readouterr().out


def test_a_missing_server_is_reported_with_what_to_do(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 1
    text = capsys.readouterr().err
    assert "no Headwater runs on the data directory data: start `headwater serve`" in text
    assert "HEADWATER_SERVER" in text


def test_the_data_directory_can_be_given(
    server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADWATER_DATA")
    assert data(server, capsys, "list", "--data", str(server.directory.path)) == []


def test_the_local_token_is_not_sent_to_another_server(
    server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    wants = "the server requires its token: set HEADWATER_TOKEN (or use --token)"
    assert wants in failure(server, capsys, "list", "--server", "http://other.example.org")
    assert data(server, capsys, "list", "--server", "127.0.0.1:8080/") == []
    monkeypatch.setenv("HEADWATER_SERVER", "https://other.example.org/")
    monkeypatch.setenv("HEADWATER_TOKEN", server.directory.api_token())
    assert data(server, capsys, "list") == []
    assert server.urls[-1] == "https://other.example.org/api/v1/streams"
    assert "the token is not this server's" in failure(server, capsys, "list", "--token", "wrong")
    assert "is not a URL" in failure(server, capsys, "list", "--server", "ftp://x")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            httpx.ConnectError("refused"),
            "no Headwater answers at http://127.0.0.1:8080: is `headwater serve` running?",
        ),
        (httpx.ReadTimeout(""), "http://127.0.0.1:8080 did not answer within 15 s"),
        (httpx.RemoteProtocolError("odd"), "http://127.0.0.1:8080: odd"),
        (httpx.Response(502, text="<html>"), "http://127.0.0.1:8080 answered 502 Bad Gateway: is it Headwater?"),
        (httpx.Response(200, text="<html>"), "did not answer with JSON: is it Headwater?"),
    ],
)
def test_an_unexpected_answer_of_the_server_is_reported(
    server: FakeServer, capsys: Capture, answer: httpx.Response | Exception, expected: str
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert main(["list"], transport=httpx.MockTransport(respond)) == 1
    printed = capsys.readouterr()
    assert expected in printed.err
    assert printed.out == "" and "Traceback" not in printed.err


def test_an_empty_table() -> None:
    assert "No stream yet" in str(stream_table([]))
