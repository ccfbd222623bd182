"""The commands that use a server: their output, its stream, and their exit codes."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster.errors import NoStandby
from control.cli import main
from control.cli.tables import stream_table
from live.status import StreamState, StreamStatus
from media.ladder import Ladder, Rung
from media.roles import Role
from media.slate import SlateMode
from origin.api.errors import BadConfiguration
from origin.api.models import Reloaded
from storage.catalogue.records import BroadcastRecord, Retention, StreamSettings
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
    refused = failure(server, capsys, "create", "studio-c", "--ladder", "360:800k,720:2500k")
    assert "rungs go from high to low" in refused


@pytest.mark.parametrize(
    ("text", "ladder"),
    [
        ("auto", "auto"),
        ("source", "source"),
        ("720:2500k,360:800k", (Rung(720, 2_500_000), Rung(360, 800_000))),
        ("1080p:6M, 480p:1200000", (Rung(1080, 6_000_000), Rung(480, 1_200_000))),
    ],
)
def test_create_and_set_know_every_setting(server: FakeServer, capsys: Capture, text: str, ladder: Ladder) -> None:
    settings = ["--title", "Studio A", "--ladder", text, "--private", "--reconnect-window", "5m"]
    settings += ["--slate", "last-frame", "--retention", "age=30d,size=500GB,count=20"]
    output(server, capsys, "create", "a", *settings)
    output(server, capsys, "create", "b")
    output(server, capsys, "set", "b", *settings)
    for stream in ("a", "b"):
        stored = asyncio.run(server.catalogue.get_stream(stream)).settings
        assert stored == StreamSettings(
            title="Studio A",
            ladder=ladder,
            private=True,
            reconnect_window_s=300,
            slate=SlateMode.LAST_FRAME,
            retention=Retention(max_age_s=30 * 86_400, max_size=500 * 10**9, max_count=20),
        )
    known = {"title", "ladder", "private", "reconnect_window_s", "slate", "retention"}
    assert set(StreamSettings.model_fields) == known
    assert "30 days, 500.0 GB, 20 recordings" in output(server, capsys, "show", "a")
    defaults = [
        word for name in ("--ladder", "--reconnect-window", "--slate", "--retention") for word in (name, "default")
    ]
    output(server, capsys, "set", "a", "--title", "", "--public", *defaults)
    assert asyncio.run(server.catalogue.get_stream("a")).settings == StreamSettings()


def test_rotate_key(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    first, second = data(server, capsys, "rotate-key", "a"), data(server, capsys, "rotate-key", "a")
    assert first["key"] != second["key"]
    assert asyncio.run(server.catalogue.find_by_key(first["key"])) is None
    assert failure(server, capsys, "rotate-key", "b") == "headwater: there is no stream b\n"


def test_backup_key(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    made = data(server, capsys, "backup-key", "a")
    assert set(made) == {"stream", "server", "key", "watch"}
    publisher = asyncio.run(server.catalogue.find_publisher(made["key"]))
    assert publisher is not None and publisher.role is Role.BACKUP
    assert "`headwater backup-key` makes a new one" in output(server, capsys, "backup-key", "a")
    assert asyncio.run(server.catalogue.find_publisher(made["key"])) is None
    assert output(server, capsys, "backup-key", "a", "--remove") == "a has no backup key any more.\n"
    assert failure(server, capsys, "backup-key", "a", "--remove") == "headwater: a has no backup key\n"
    data(server, capsys, "backup-key", "a")
    assert data(server, capsys, "backup-key", "a", "--remove") == {"stream": "a", "removed": True}


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
        "standby",
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
    assert set(live["publisher"]) == {"address", "software", "connected_s", "role", "key"}
    assert set(live["warnings"][0]) == {"code", "text", "since_s"}


def test_list_prints_a_table(server: FakeServer, capsys: Capture) -> None:
    assert "headwater create STREAM" in output(server, capsys, "list")
    server.create("idle", "studio")
    server.on_air(status("studio"))
    heading, live, idle = output(server, capsys, "list").splitlines()
    assert heading.split() == ["STREAM", "STATE", "UPTIME", "SOURCE", "RENDITIONS", "PUBLISHER"]
    assert live.startswith("studio  live   1:01")
    assert "h264 1280x720 30 fps 2500 kbit/s, keyframe every 8.3 s" in live
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


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_list_watch_prints_until_ctrl_c(
    server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Into a pipe: a table, or a line of JSON, each second."""
    server.create("a")
    rounds: list[float] = []

    def sleep(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("control.cli.live.time.sleep", sleep)
    assert server.run("list", "--watch", *options) == 0
    assert len(server.urls) == 3
    printed = capsys.readouterr().out
    if options:
        assert [json.loads(line)[0]["stream"] for line in printed.splitlines()] == ["a"] * 3
    else:
        assert printed.count("STREAM") == 3


def test_a_ban_is_a_duration(server: FakeServer, capsys: Capture) -> None:
    assert "--ban" in failure(server, capsys, "kill", "a", "--ban", "soon", code=2)


def test_errors_are_json_for_programs(server: FakeServer, capsys: Capture) -> None:
    assert server.run("show", "missing", "--json") == 1
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] and "missing" in error["text"]


def test_version_and_help(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("headwater ")
    assert main([]) == 0
    assert "broadcasts" in capsys.readouterr().out


def test_show_prints_everything_including_warnings(server: FakeServer, capsys: Capture) -> None:
    server.create("studio", "idle")
    server.on_air(status("studio", StreamState.WAITING))
    text = output(server, capsys, "show", "studio")
    for part in (
        "waiting",
        BROADCAST,
        "https://media.example.org/watch/studio",
        "aac 48 kHz stereo 160 kbit/s",
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
    assert "aac only 2500 kbit/s" in output(server, capsys, "show", "radio")


def with_backup(*, standby: bool) -> StreamStatus:
    """A stream whose backup is on air."""
    live = status("a")
    assert live.publisher is not None
    backup = live.publisher.model_copy(update={"role": Role.BACKUP, "address": "198.51.100.4:1000"})
    return live.model_copy(update={"publisher": backup, "standby": live.publisher if standby else None})


@pytest.mark.parametrize(
    ("standby", "listed", "shown"),
    [
        (True, "(primary on standby)", "Standby    primary, 203.0.113.7:50114 obs-output module, connected 1:01"),
        (False, "backup 198.51.100.4:1000", "Standby    not connected"),
    ],
)
def test_the_one_on_air_and_the_one_on_standby(
    server: FakeServer, capsys: Capture, standby: bool, listed: str, shown: str
) -> None:
    server.create("a")
    data(server, capsys, "backup-key", "a")
    server.on_air(with_backup(standby=standby))
    assert listed in output(server, capsys, "list")
    text = output(server, capsys, "show", "a")
    assert "Publisher  backup, 198.51.100.4:1000 obs-output module, connected 1:01" in text
    assert shown in text


def test_a_stream_without_a_backup_key_has_no_standby_to_show(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    server.on_air(status("a"))
    text = output(server, capsys, "show", "a")
    assert "Standby" not in text and "primary" not in text


def test_switch(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    assert failure(server, capsys, "switch", "a") == "headwater: a is not live: there is nothing to switch\n"
    owner = server.on_air(status("a"))
    assert output(server, capsys, "switch", "a") == "The backup of a goes on air at its next keyframe.\n"
    assert data(server, capsys, "switch", "a") == {"stream": "a", "to": "backup"}
    assert owner.switches == 2
    owner.failure = NoStandby("the backup is not connected: only the primary publishes")
    assert failure(server, capsys, "switch", "a") == (
        "headwater: the backup is not connected: only the primary publishes\n"
    )


def test_drain(server: FakeServer, capsys: Capture) -> None:
    assert output(server, capsys, "drain", "--grace", "90s") == (
        "The server accepts no new broadcasts. 2 are on air; it stops when all have ended, or in 90 s.\n"
    )
    assert data(server, capsys, "drain") == {"on_air": 2, "grace_left_s": 600.0}
    assert server.drain.asked == [90.0, None]


def test_reload(server: FakeServer, capsys: Capture) -> None:
    assert output(server, capsys, "reload") == ("In force now: rtmp.max_bitrate.\nNeeds a restart: http.listen.\n")
    server.reload.result = Reloaded(applied=(), restart=())
    assert output(server, capsys, "reload") == "Nothing has changed.\n"
    server.reload.failure = BadConfiguration("headwater.toml:1: zzz: unknown key")
    assert failure(server, capsys, "reload") == "headwater: headwater.toml:1: zzz: unknown key\n"


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


def test_set_changes_only_what_is_given(server: FakeServer, capsys: Capture) -> None:
    server.create("a")
    assert "private, title" in output(server, capsys, "set", "a", "--title", "Studio A", "--private")
    changed = json.loads(output(server, capsys, "set", "a", "--public", "--json"))
    assert (changed["title"], changed["private"]) == ("Studio A", False)
    assert "nothing to change" in failure(server, capsys, "set", "a", code=2)
