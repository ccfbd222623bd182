"""Live broadcasts: kill, history and thumbnail; and the list of past broadcasts."""

import asyncio

import pytest

from cluster.errors import NoOwner, NoStandby
from cluster.questions import Done
from live.status import History, Latencies, LatencyStatus, Sample, StreamState, Thumbnail
from origin.api import live as live_routes
from storage.catalogue.records import BroadcastRecord
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.origin.api.conftest import NOW, Api
from tests.unit.origin.api.live import BROADCAST, status


class BanningOwner(FakeOwner):
    """Records the ban in force at the time of each kill."""

    def __init__(self, api: Api) -> None:
        super().__init__(status("a"))
        self.bans: list[float | None] = []
        self._api = api

    async def kill(self, reason: str) -> Done:
        self.bans.append((await self._api.catalogue.get_stream("a")).banned_until)
        return await super().kill(reason)


@pytest.fixture
async def owner(api: Api) -> BanningOwner:
    """The owner of a live stream ``a``."""
    await api.catalogue.create_stream("a", now=NOW)
    owner = BanningOwner(api)
    await api.cluster.claim("a", BROADCAST, owner)
    return owner


async def test_a_kill_without_a_body(api: Api, owner: BanningOwner) -> None:
    answer = await api.http.post("/streams/a/kill")
    assert answer.json() == {"stream": "a", "banned_until": None}
    assert (owner.kills, owner.bans) == (["ended by the operator"], [None])


async def test_the_ban_is_written_before_the_broadcast_is_ended(api: Api, owner: BanningOwner) -> None:
    answer = await api.http.post("/streams/a/kill", json={"ban_s": 60, "reason": "wrong stream"})
    assert answer.json() == {"stream": "a", "banned_until": NOW + 60}
    assert (owner.kills, owner.bans) == (["wrong stream"], [NOW + 60])


async def test_killing_an_idle_stream_is_an_error_and_sets_no_ban(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    answer = await api.http.post("/streams/a/kill", json={"ban_s": 60})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-live")
    assert answer.json()["detail"] == "a is not live: there is nothing to end"
    assert (await api.catalogue.get_stream("a")).banned_until is None
    unknown = await api.http.post("/streams/b/kill")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "stream-not-found")


class EndingOwner(FakeOwner):
    async def kill(self, reason: str) -> Done:
        raise NoOwner("the broadcast of a has ended")


async def test_a_broadcast_that_ends_during_the_kill_is_not_live(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.cluster.claim("a", BROADCAST, EndingOwner(status("a")))
    answer = await api.http.post("/streams/a/kill")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-live")
    assert answer.json()["detail"] == "a has just ended"


class HangingOwner(FakeOwner):
    async def kill(self, reason: str) -> Done:
        await asyncio.Event().wait()
        return Done()


async def test_an_owner_that_does_not_answer_is_a_timeout(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_routes, "ASK_TIMEOUT_S", 0.001)
    await api.catalogue.create_stream("a", now=NOW)
    await api.cluster.claim("a", BROADCAST, HangingOwner(status("a")))
    answer = await api.http.post("/streams/a/kill")
    assert (answer.status_code, answer.json()["code"]) == (504, "request-timeout")


@pytest.mark.parametrize(
    "body",
    [{"ban_s": -1}, {"ban_s": "soon"}, {"ban": 60}, {"ban_s": 1e12}, {"reason": "x" * 201}, [], "kill"],
)
async def test_an_invalid_kill_is_refused(api: Api, owner: BanningOwner, body: object) -> None:
    answer = await api.http.post("/streams/a/kill", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert owner.kills == []


async def test_a_switch_answers_with_who_goes_on_air(api: Api, owner: BanningOwner) -> None:
    answer = await api.http.post("/streams/a/switch")
    assert (answer.status_code, answer.json()) == (202, {"stream": "a", "to": "backup"})
    assert owner.switches == 1


async def test_a_switch_without_a_standby_is_refused_in_words(api: Api, owner: BanningOwner) -> None:
    owner.failure = NoStandby("the backup is not connected: only the primary publishes")
    answer = await api.http.post("/streams/a/switch")
    assert (answer.status_code, answer.json()["code"]) == (409, "no-standby")
    assert answer.json()["detail"] == "the backup is not connected: only the primary publishes"


async def test_an_owner_that_fails_to_switch_is_a_fault(api: Api, owner: BanningOwner) -> None:
    owner.failure = RuntimeError("oops")
    answer = await api.http.post("/streams/a/switch")
    assert (answer.status_code, answer.json()["code"]) == (500, "owner-failed")


async def test_a_switch_of_an_idle_stream_is_refused(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    answer = await api.http.post("/streams/a/switch")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-live")
    assert (await api.http.post("/streams/b/switch")).json()["code"] == "stream-not-found"


async def test_a_streams_details_include_latencies(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    assert (await api.http.get("/streams/a")).json()["latency"] == []
    stage = LatencyStatus(track="v480p", stage="encoded", p50_ms=21.5, p95_ms=38.0)
    (await api.on_air(status("a"))).stages = Latencies(stages=(stage,))
    assert (await api.http.get("/streams/a")).json()["latency"] == [stage.model_dump()]


async def test_the_history(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    assert (await api.http.get("/streams/a/history")).json() == {"samples": []}
    sample = Sample(at=NOW, bitrate_bps=2_500_000, fps=30.0)
    (await api.on_air(status("a"))).samples = History(samples=(sample,))
    assert (await api.http.get("/streams/a/history")).json() == {"samples": [sample.model_dump()]}
    assert (await api.http.get("/streams/b/history")).json()["code"] == "stream-not-found"


async def test_the_thumbnail(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    none = await api.http.get("/streams/a/thumbnail.jpg")
    assert (none.status_code, none.json()["code"]) == (404, "no-thumbnail")
    owner = await api.on_air(status("a"))
    none = await api.http.get("/streams/a/thumbnail.jpg")
    assert (none.status_code, none.json()["code"]) == (404, "no-thumbnail")
    owner.picture = Thumbnail(jpeg=b"\xff\xd8\xff\xd9", at=NOW)
    answer = await api.http.get("/streams/a/thumbnail.jpg")
    assert answer.content == b"\xff\xd8\xff\xd9"
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"


async def test_broadcasts_are_listed_newest_first_with_links(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    assert (await api.http.get("/streams/a/broadcasts")).json() == []
    ended, lost = "20261120t090000z-000001", "20261120t100000z-000002"
    await api.catalogue.put_broadcast(
        BroadcastRecord(stream="a", broadcast=ended, started_at=1.0, ended_at=61.0, duration_s=60.0, bytes=1000)
    )
    await api.catalogue.put_broadcast(BroadcastRecord(stream="a", broadcast=lost, started_at=2.0, duration_s=7.0))
    await api.catalogue.put_broadcast(BroadcastRecord(stream="a", broadcast=BROADCAST, started_at=NOW - 90))
    await api.on_air(status("a", StreamState.WAITING))
    listed = (await api.http.get("/streams/a/broadcasts")).json()
    assert [(one["broadcast"], one["state"], one["duration_s"]) for one in listed] == [
        (BROADCAST, "live", 90.0),
        (lost, "interrupted", 7.0),
        (ended, "ended", 60.0),
    ]
    base = f"https://media.example.org/live/a/{ended}"
    assert listed[2] == {
        "broadcast": ended,
        "state": "ended",
        "started_at": 1.0,
        "ended_at": 61.0,
        "duration_s": 60.0,
        "bytes": 1000,
        "end_reason": None,
        "missing_s": {},
        "kept": False,
        "hls": f"{base}/master.m3u8",
        "dash": f"{base}/manifest.mpd",
        "watch": f"https://media.example.org/watch/a?broadcast={ended}",
    }
    assert (await api.http.get("/streams/b/broadcasts")).json()["code"] == "stream-not-found"
