"""``headwater events``: what happened to a broadcast, as a table and as JSON, also while it goes on."""

import asyncio
import json
from pathlib import Path

import pytest

from storage.catalogue.events import Event, EventRecord, events_object
from storage.catalogue.records import BroadcastRecord
from storage.documents import encode_document
from tests.unit.control.fake_server import NOW, FakeServer
from tests.unit.control.test_cli import Capture, data, failure, output
from tests.unit.origin.api.live import BROADCAST, status

EARLIER = "20261120t090000z-000001"
STARTED = Event(number=1, at=NOW, code="started", text="the broadcast started from 203.0.113.7:1", fields={})
LOST = Event(number=2, at=NOW + 9, code="publisher-lost", text="the publisher was lost\x1b[31m", fields={"a": 1})
ENDED = Event(number=3, at=NOW + 60, code="ended", text="the broadcast ended: over", fields={"reason": "over"})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path / "data"))
    server = FakeServer(tmp_path / "data")
    server.create("studio")
    return server


def log(broadcast: str, *events: Event, complete: bool = False, dropped: int = 0) -> EventRecord:
    return EventRecord(stream="studio", broadcast=broadcast, events=events, complete=complete, dropped=dropped)


def store_log(server: FakeServer, record: EventRecord) -> None:
    async def put() -> None:
        await server.catalogue.put_broadcast(
            BroadcastRecord(stream="studio", broadcast=record.broadcast, started_at=NOW)
        )
        await server.store.put(events_object("studio", record.broadcast), encode_document(record))

    asyncio.run(put())


def aligned(lines: list[str], *words: str) -> bool:
    """Whether each line has its word, all in one column."""
    return len({line.index(word) for line, word in zip(lines, words, strict=True)}) == 1


def test_a_table_of_the_last_broadcast(server: FakeServer, capsys: Capture) -> None:
    store_log(server, log(BROADCAST, STARTED, LOST, ENDED, complete=True, dropped=12))
    lines = output(server, capsys, "events", "studio").splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["TIME", "EVENT", "WHAT", "HAPPENED"],
        ["2026-11-21", "10:41:05", "UTC", "started", "the", "broadcast", "started", "from", "203.0.113.7:1"],
    ]
    assert "the publisher was lost�[31m" in lines[2]
    assert aligned(lines[:3], "EVENT", "started", "publisher-lost")
    assert lines[4] == "12 more events are left out, because there were too many."


def test_one_of_its_broadcasts(server: FakeServer, capsys: Capture) -> None:
    store_log(server, log(EARLIER, STARTED))
    store_log(server, log(BROADCAST, STARTED, ENDED, complete=True))
    text = output(server, capsys, "events", "studio", "--broadcast", EARLIER)
    assert "the broadcast ended" not in text
    assert text.endswith("The server stopped before the broadcast was completed.\n")


def test_in_json_it_is_the_answer_of_the_api(server: FakeServer, capsys: Capture) -> None:
    store_log(server, log(BROADCAST, STARTED, ENDED, complete=True))
    page = data(server, capsys, "events", "studio")
    assert (page["stream"], page["broadcast"], page["state"]) == ("studio", BROADCAST, "ended")
    assert page["events"] == [STARTED.model_dump(), ENDED.model_dump()]


def test_nothing_to_show(server: FakeServer, capsys: Capture) -> None:
    assert failure(server, capsys, "events", "studio") == "headwater: studio has not been live yet\n"
    assert failure(server, capsys, "events", "other") == "headwater: there is no stream other\n"
    server.on_air(status("studio"))
    assert output(server, capsys, "events", "studio") == "Nothing has happened yet.\n"


class Evening:
    """A broadcast that is lost, and then ends: one step each time the command pauses."""

    def __init__(self, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self._server = server
        self._owner = server.on_air(status("studio"))
        self._owner.log = log(BROADCAST, STARTED)
        self._steps = [self._lose, self._end, self._complete]
        monkeypatch.setattr("control.cli.events.time.sleep", self._step)

    def _step(self, seconds: float) -> None:
        self._steps.pop(0)()

    def _lose(self) -> None:
        self._owner.log = log(BROADCAST, STARTED, LOST)

    def _end(self) -> None:
        async def release() -> None:
            claim = await self._server.cluster.owner_of("studio")
            assert claim is not None
            await self._server.cluster.release(claim)

        store_log(self._server, log(BROADCAST, STARTED, LOST, ENDED, complete=True))
        asyncio.run(release())

    def _complete(self) -> None:
        raise AssertionError("the command goes on after the end")


def test_following_ends_with_the_broadcast(
    server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Evening(server, monkeypatch)
    lines = output(server, capsys, "events", "studio", "--follow").splitlines()
    assert [line.split()[3] for line in lines[1:]] == ["started", "publisher-lost", "ended"]
    assert aligned(lines, "EVENT", "started", "publisher-lost", "ended")
    assert f"/broadcasts/{BROADCAST}/events?after=1&wait=10" in server.urls[1]


def test_following_in_json_is_a_line_for_each_event(
    server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Evening(server, monkeypatch)
    lines = [json.loads(line) for line in output(server, capsys, "events", "studio", "-f", "--json").splitlines()]
    assert [line["code"] for line in lines] == ["started", "publisher-lost", "ended"]
    assert lines[0] == {"stream": "studio", "broadcast": BROADCAST, **STARTED.model_dump()}


def test_ctrl_c_ends_following(server: FakeServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    server.on_air(status("studio")).log = log(BROADCAST, STARTED)
    monkeypatch.setattr("control.cli.events.time.sleep", interrupt)
    assert "started" in output(server, capsys, "events", "studio", "--follow")
