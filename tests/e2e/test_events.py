"""The event log of a real broadcast, whose ffmpeg is killed, returns and stops: while it goes on, afterwards, and
after a restart of the server."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.server import HEADWATER, Server, serving
from tests.lab.waiting import until

STREAM = "studio"
# ffmpeg begins and returns; it is killed, and stops at its clip's end.
CODES = ["started", "publisher-lost", "publisher-returned", "discontinuity", "ended"]
AWAY_S = 3.0


def get(server: Server, path: str, *, token: bool = True) -> httpx.Response:
    secret = (server.data / "api-token").read_text().strip()
    return httpx.get(f"{server.http}{path}", headers={"Authorization": f"Bearer {secret}"} if token else {})


def page(server: Server) -> Any:
    answer = get(server, f"/api/v1/streams/{STREAM}/events")
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(page: Any) -> list[str]:
    return [event["code"] for event in page["events"]]


@dataclass(frozen=True, slots=True)
class Run:
    """``on_air`` is the API's answer before the end, ``followed`` what ``events --follow --json`` printed."""

    server: Server
    on_air: Any
    warned: str
    followed: list[Any]
    metrics: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What the operator reads before and after a restart: the API's answer, and the output of ``events``."""

    store: Path
    pages: tuple[Any, Any]
    printed: tuple[str, str]
    statuses: dict[str, int]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def run(data: Path) -> Iterator[Run]:
    clip = make_clip(Clip(8, size="320x180"), data / "clip.flv")
    with serving(data / "data") as server:
        url = server.create(STREAM, ladder="source")
        with publishing(clip, url) as first:
            until(lambda: get(server, f"/live/{STREAM}/master.m3u8").status_code == 200)
            environment = {**os.environ, "HEADWATER_DATA": str(server.data)}
            command = [*HEADWATER, "events", STREAM, "--follow", "--json"]
            follower = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            first.kill()
            until(lambda: "publisher-lost" in codes(page(server)))
            until(lambda: get(server, f"/api/v1/streams/{STREAM}").json()["warnings"])
            (warning,) = get(server, f"/api/v1/streams/{STREAM}").json()["warnings"]
            time.sleep(AWAY_S)
        with publishing(clip, url):
            until(lambda: "discontinuity" in codes(page(server)))
            on_air = page(server)
            # The follower ends with the broadcast.
            printed, _ = follower.communicate(timeout=60)
        assert follower.returncode == 0
        metrics = get(server, "/metrics").text
        yield Run(server, on_air, warning["text"], [json.loads(line) for line in printed.splitlines()], metrics)


def test_the_events_are_in_order_while_it_is_on_air(run: Run) -> None:
    assert (run.on_air["state"], codes(run.on_air)) == ("live", CODES[:-1])
    times = [event["at"] for event in run.on_air["events"]]
    assert times == sorted(times)


def test_the_words_and_fields_of_a_loss(run: Run) -> None:
    _, lost, returned, broken = run.on_air["events"]
    assert "was lost: the connection was lost; the broadcast waits 60 s for it" in lost["text"]
    assert lost["fields"]["reason"] == "lost"
    assert lost["fields"]["address"].startswith("127.0.0.1:")
    away_s = returned["fields"]["away_s"]
    assert AWAY_S <= away_s < AWAY_S + 10
    assert returned["text"].endswith(f"after {away_s:.1f} s")
    assert broken["fields"]["cause"] == "publisher-returned"
    assert "the broadcast ends in" in run.warned


def test_following_goes_on_over_the_loss_and_ends_with_the_broadcast(run: Run) -> None:
    assert [event["code"] for event in run.followed] == CODES
    assert run.followed[:4] == [
        {"stream": STREAM, "broadcast": run.on_air["broadcast"], **event} for event in run.on_air["events"]
    ]
    assert run.followed[-1]["text"].startswith("the broadcast ended: ")


def test_what_viewers_felt_is_counted(run: Run) -> None:
    def value(metric: str, label: str) -> float:
        (line,) = [line for line in run.metrics.splitlines() if line.startswith(metric) and label in line]
        return float(line.rpartition(" ")[2])

    assert value("headwater_publisher_losses_total", 'reason="lost"') == 1
    assert value("headwater_discontinuities_total", 'cause="publisher-returned"') == 1
    # Each tick is a second.
    assert value("headwater_no_media_seconds_total", 'reason="publisher-lost"') >= AWAY_S - 1.5


@pytest.fixture(scope="module")
def kept(run: Run) -> Iterator[Kept]:
    data, broadcast = run.server.data, run.on_air["broadcast"]
    before = page(run.server), run.server.cli("events", STREAM)
    run.server.stop()
    with serving(data) as again:
        after = page(again), again.cli("events", STREAM, "--broadcast", broadcast)
        paths = (f"/catalogue/events/{STREAM}/{broadcast}.json", f"/live/{STREAM}/{broadcast}/events.json")
        statuses = {path: get(again, path).status_code for path in paths}
        path = f"/api/v1/streams/{STREAM}/events"
        statuses[path] = get(again, path, token=False).status_code
        printed = before[1].stdout, after[1].stdout
        yield Kept(data / "store", (before[0], after[0]), printed, statuses)


def test_the_events_stay_after_the_end_and_after_a_restart(run: Run, kept: Kept) -> None:
    for answer, printed in zip(kept.pages, kept.printed, strict=True):
        assert (answer["state"], codes(answer)) == ("ended", CODES)
        assert answer["events"][:4] == run.on_air["events"]
        rows = [line for line in printed.splitlines()[1:] if not line.startswith(" ")]
        assert [row.split()[3] for row in rows] == CODES


def test_viewers_cannot_read_them(run: Run, kept: Kept) -> None:
    """They are no media: neither the origin nor the public part of the store has them."""
    assert list(kept.statuses.values()) == [404, 404, 401]
    (log,) = kept.store.glob("catalogue/events/*/*.json")
    assert log.stat().st_mode & 0o077 == 0
    address = run.on_air["events"][0]["fields"]["address"].encode()
    public = [path for path in (kept.store / "live").rglob("*") if path.is_file()]
    assert public and not any(address in path.read_bytes() for path in public)
