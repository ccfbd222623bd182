"""Webhooks of a real server: a broadcast of ffmpeg, targets that fail or are slow, and a restart in between."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.hook_receiver import HookReceiver, Received, receiving
from tests.lab.server import Server, serving
from tests.lab.waiting import until

STREAM, OTHER = "studio", "other"
PRIVATE = "[hooks]\nallow_private = true\n"
BROADCAST = ["publisher.connected", "stream.live", "publisher.lost", "stream.ended", "recording.ready"]


def add(server: Server, receiver: HookReceiver, *options: str) -> str:
    """Add a hook for ``receiver``; returns its id."""
    added = server.json("hooks", "add", receiver.url, *options)
    receiver.secret = added["secret"]
    return str(added["id"])


def attempts(server: Server, hook: str) -> list[dict[str, Any]]:
    """The oldest first."""
    return list(reversed(server.json("hooks", "log", hook)))


def messages_of(receiver: HookReceiver) -> list[Received]:
    """Without warnings, which a slow machine raises."""
    return [each for each in receiver.received if each.type in BROADCAST]


def metric(server: Server, name: str) -> float:
    lines = httpx.get(f"{server.http}/metrics", trust_env=False).text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)


@dataclass(frozen=True, slots=True)
class Run:
    """A broadcast, with a hook for everything, a filtered one, a slow one, and one that fails twice."""

    everything: HookReceiver
    filtered: HookReceiver
    slow: HookReceiver
    failing: HookReceiver
    broadcast: dict[str, Any]
    log: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    pending_of_slow: int
    ended_after_s: float
    http: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("hooks")
    clip = make_clip(Clip(6, size="320x180"), directory / "clip.flv")
    config = f'{PRIVATE}[rtmp]\nreconnect_window = "1s"\n'
    with (
        receiving() as everything,
        receiving() as filtered,
        receiving() as slow,
        receiving() as failing,
        serving(directory / "data", config=config) as server,
    ):
        slow.gate.clear()
        failing.statuses = [500, 503]
        hook = add(server, everything)
        add(server, filtered, "--event", "recording.ready", "--event", "stream.live", "--stream", OTHER)
        add(server, slow)
        fails = add(server, failing, "--event", "stream.live", "--stream", STREAM)
        with publishing(clip, server.create(STREAM, ladder="source")) as ffmpeg:
            until(lambda: "stream.live" in everything.types())
            ffmpeg.kill()
        began = time.monotonic()
        until(lambda: "recording.ready" in everything.types())
        ended_after_s = time.monotonic() - began
        pending_of_slow = server.json("hooks", "list")[2]["pending"]
        with publishing(clip, server.create(OTHER, ladder="source")):
            until(lambda: "recording.ready" in filtered.types())
        until(lambda: failing.types() == ["stream.live"], timeout=30)
        (broadcast,) = server.json("broadcasts", STREAM)
        yield Run(
            everything,
            filtered,
            slow,
            failing,
            broadcast,
            attempts(server, hook),
            attempts(server, fails),
            pending_of_slow,
            ended_after_s,
            server.http,
        )


def test_a_broadcast_sends_its_messages_in_order_and_every_signature_is_right(run: Run) -> None:
    messages = sorted(
        (each for each in messages_of(run.everything) if each.message["data"]["stream"] == STREAM),
        key=lambda each: str(each.message["timestamp"]),
    )
    assert [each.type for each in messages] == BROADCAST
    assert len({each.id for each in messages}) == len(BROADCAST)
    assert run.everything.refused == run.filtered.refused == run.failing.refused == 0
    assert {each.message["data"]["broadcast"] for each in messages} == {run.broadcast["broadcast"]}


def test_what_the_messages_carry(run: Run) -> None:
    connected, live, lost, ended, ready = (run.everything.of(kind)[0].message["data"] for kind in BROADCAST)
    assert connected["how"] == "started" and connected["address"].startswith("127.0.0.1:")
    assert live["watch"] == f"{run.http}/watch/{STREAM}"
    assert live["hls"] == run.broadcast["hls"]
    assert lost["reason"] == "lost"
    assert ended["reason"] == "the publisher did not come back"
    assert ready["tracks"] == ["vsource", "asource"]
    for field in ("duration_s", "bytes", "hls", "dash", "watch", "started_at", "ended_at"):
        assert ready[field] == run.broadcast[field]


def test_a_filter_selects_streams_and_types(run: Run) -> None:
    assert [(each.type, each.message["data"]["stream"]) for each in run.filtered.received] == [
        ("stream.live", OTHER),
        ("recording.ready", OTHER),
    ]


def test_a_slow_target_delays_neither_other_targets_nor_the_broadcast(run: Run) -> None:
    assert run.pending_of_slow >= len(BROADCAST)
    # The reconnect window, and the upload of a few small files.
    assert run.ended_after_s < 10


def test_a_target_that_fails_gets_the_message_again(run: Run) -> None:
    tries = run.failing.received
    assert [each.status for each in tries] == [500, 503, 204]
    assert len({each.id for each in tries}) == 1
    assert len({each.headers["webhook-signature"] for each in tries}) == 3
    assert [(each["attempt"], each["outcome"], each["status"], each["error"]) for each in run.failures] == [
        (1, "retry", 500, "500 Internal Server Error"),
        (2, "retry", 503, "503 Service Unavailable"),
        (3, "delivered", 204, None),
    ]


def test_the_log_has_every_attempt(run: Run) -> None:
    mine = [each for each in run.log if each["stream"] == STREAM and each["event"] in BROADCAST]
    assert {(each["event"], each["outcome"]) for each in mine} == {(kind, "delivered") for kind in BROADCAST}


def test_a_restart_in_between_loses_nothing(tmp_path: Path) -> None:
    clip, expected = make_clip(Clip(4, size="320x180"), tmp_path / "clip.flv"), set(BROADCAST) - {"publisher.lost"}
    with receiving() as target:
        target.statuses = [500] * 100
        with serving(tmp_path / "data", config=PRIVATE) as server:
            hook = add(server, target)
            with publishing(clip, server.create(STREAM, ladder="source")) as ffmpeg:
                ffmpeg.wait()
            until(lambda: {each.type for each in messages_of(target)} == expected)
            # As the machine's power would.
            server.process.kill()
            server.process.wait()
        first = {each.id for each in messages_of(target)}
        target.statuses = []
        with serving(tmp_path / "data", config=PRIVATE) as server:
            until(lambda: set(target.types()) >= expected, timeout=60)
            assert {each.id for each in messages_of(target)} == first
            assert len(first) == len(expected)
            until(lambda: server.json("hooks", "list")[0]["pending"] == 0)
            assert {each["outcome"] for each in attempts(server, hook)} == {"retry", "delivered"}


def test_a_target_that_is_gone_disables_the_hook_until_it_is_enabled_and_replayed(tmp_path: Path) -> None:
    clip = make_clip(Clip(4, size="320x180"), tmp_path / "clip.flv")
    with receiving() as target, serving(tmp_path / "data", config=PRIVATE) as server:
        target.statuses = [410]
        hook = add(server, target)
        with publishing(clip, server.create(STREAM, ladder="source")) as ffmpeg:
            ffmpeg.wait()
        until(lambda: [each["disabled_reason"] for each in server.json("hooks", "list")] != [None])
        assert "the target answered 410 Gone" in server.cli("hooks", "list").stdout
        until(lambda: server.json("show", STREAM)["state"] == "idle")
        (dead,) = server.json("hooks", "log", hook, "--dead")
        assert (dead["event"], dead["error"]) == ("publisher.connected", "410 Gone")
        assert "is disabled" in server.cli("hooks", "replay", hook).stderr
        assert server.cli("hooks", "enable", hook).returncode == 0
        assert server.cli("hooks", "replay", hook).stdout == "1 message is sent again.\n"
        until(lambda: target.types() == ["publisher.connected"])
        assert len({each.id for each in target.received}) == 1
        assert metric(server, 'headwater_hook_attempts_total{outcome="dead"}') == 1
        until(lambda: metric(server, "headwater_hook_dead") == 0)


def test_a_test_shows_the_answer_in_words_and_a_new_secret_signs_beside_the_old_one(tmp_path: Path) -> None:
    with receiving() as target, serving(tmp_path / "data", config=PRIVATE) as server:
        hook = add(server, target)
        assert "it answered 204" in server.cli("hooks", "test", hook).stdout
        old = target.secret
        target.secret = server.json("hooks", "rotate-secret", hook)["secret"]
        assert target.secret != old
        assert server.cli("hooks", "test", hook).returncode == 0
        target.secret = old
        assert server.cli("hooks", "test", hook).returncode == 0
        assert (target.refused, target.types()) == (0, ["hook.test"] * 3)
        target.statuses, target.headers = [302], {"Location": "http://127.0.0.1:1/"}
        answer = server.cli("hooks", "test", hook)
        assert answer.returncode == 1
        assert "the test was not delivered: 302 Found: redirects are not followed" in answer.stderr
        actions = [entry["action"] for entry in server.json("audit")["entries"]]
        assert [each for each in actions if each.startswith("hook")] == [
            "hook-test",
            "hook-test",
            "hook-test",
            "hook-rotate-secret",
            "hook-test",
            "hook-add",
        ]
        assert server.cli("hooks", "remove", hook).returncode == 0
        assert server.json("hooks", "list") == []
        assert old not in json.dumps(server.json("audit"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/", "127.0.0.1 is not a public address"),
        ("http://localhost:9/", "localhost resolves to "),
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254 is not a public address"),
        ("http://2130706433/", "resolves to 127.0.0.1, which is not a public address"),
        ("ftp://example.org/", "url has to be written in full, as https://example.org/hook"),
    ],
)
def test_private_targets_are_refused(guarded: Server, url: str, reason: str) -> None:
    answer = guarded.cli("hooks", "add", url)
    assert answer.returncode == 1
    assert reason in answer.stderr
    assert guarded.json("hooks", "list") == []


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("guarded")) as server:
        yield server


def test_a_target_that_became_private_is_not_called(tmp_path: Path) -> None:
    with receiving() as target:
        with serving(tmp_path, config=PRIVATE) as server:
            hook = add(server, target)
        with serving(tmp_path, config="[hooks]\nallow_private = false\n") as server:
            answer = server.cli("hooks", "test", hook)
            assert "127.0.0.1 is not a public address" in answer.stderr
        assert target.received == []


def test_a_trouble_of_the_store_is_sent_while_the_store_is_away(tmp_path: Path) -> None:
    store, aside = tmp_path / "data" / "store", tmp_path / "aside"
    with receiving() as target, serving(tmp_path / "data", config=PRIVATE) as server:
        hook = add(server, target, "--stream", STREAM)
        store.rename(aside)
        until(lambda: target.types() == ["store.trouble"], timeout=30)
        aside.rename(store)
        until(lambda: len(target.types()) == 2, timeout=30)
        away, back = (each.message["data"] for each in target.received)
        assert (away["state"], away["server"]) == ("away", server.http)
        assert "mount its disk, or make the directory" in away["text"]
        assert (back["state"], back["text"]) == ("back", "the store answers again")
        until(lambda: [each["outcome"] for each in attempts(server, hook)] == ["delivered"] * 2)
        assert server.json("hooks", "list")[0]["pending"] == 0
