"""The event log of a broadcast: of the one on air without the store, of others from the store."""

import asyncio

import pytest

from cluster.claims import ClaimState
from origin.api import events as routes
from storage.catalogue.events import Event, EventRecord, events_object
from storage.catalogue.records import BroadcastRecord
from storage.documents import encode_document
from storage.interface import StoreUnavailable
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.origin.api.conftest import NOW, Api
from tests.unit.origin.api.live import BROADCAST, status

EARLIER = "20261120t090000z-000001"


def event(number: int, code: str = "discontinuity") -> Event:
    return Event(number=number, at=NOW + number, code=code, text="what happened", fields={"msn": number})


def log(broadcast: str, *codes: str, complete: bool = False, dropped: int = 0) -> EventRecord:
    events = tuple(event(number, code) for number, code in enumerate(codes, 1))
    return EventRecord(stream="a", broadcast=broadcast, events=events, complete=complete, dropped=dropped)


async def store_log(api: Api, record: EventRecord) -> None:
    await api.catalogue.put_broadcast(BroadcastRecord(stream="a", broadcast=record.broadcast, started_at=NOW))
    await api.store.put(events_object("a", record.broadcast), encode_document(record))


@pytest.fixture
async def owner(api: Api) -> FakeOwner:
    """The owner of a live stream ``a`` with two events, which has an earlier broadcast."""
    await api.catalogue.create_stream("a", now=NOW)
    await store_log(api, log(EARLIER, "started", "ended", complete=True))
    owner = await api.on_air(status("a"))
    owner.log = log(BROADCAST, "started", "publisher-lost", dropped=3)
    return owner


async def test_the_events_on_air(api: Api, owner: FakeOwner) -> None:
    answer = await api.http.get("/streams/a/events")
    assert answer.status_code == 200
    assert answer.json() == {
        "stream": "a",
        "broadcast": BROADCAST,
        "state": "live",
        "events": [
            {"number": 1, "at": NOW + 1, "code": "started", "text": "what happened", "fields": {"msn": 1}},
            {"number": 2, "at": NOW + 2, "code": "publisher-lost", "text": "what happened", "fields": {"msn": 2}},
        ],
        "last": 2,
        "dropped": 3,
    }
    assert answer.headers["cache-control"] == "no-store"
    assert (await api.http.get(f"/streams/a/broadcasts/{BROADCAST}/events")).json() == answer.json()


async def test_a_part_of_the_events(api: Api, owner: FakeOwner) -> None:
    page = (await api.http.get("/streams/a/events", params={"after": 1})).json()
    assert ([each["number"] for each in page["events"]], page["last"]) == ([2], 2)
    page = (await api.http.get("/streams/a/events", params={"limit": 1})).json()
    assert ([each["number"] for each in page["events"]], page["last"]) == ([1], 1)
    page = (await api.http.get("/streams/a/events", params={"after": 7})).json()
    assert (page["events"], page["last"]) == ([], 7)
    page = (await api.http.get(f"/streams/a/broadcasts/{EARLIER}/events", params={"after": 1})).json()
    assert ([each["code"] for each in page["events"]], page["state"]) == (["ended"], "ended")


async def test_the_broadcast_on_air_needs_no_store(api: Api, owner: FakeOwner) -> None:
    api.store.failing = StoreUnavailable("down")
    assert (await api.http.get("/streams/a/events")).status_code == 200
    assert (await api.http.get(f"/streams/a/broadcasts/{BROADCAST}/events")).status_code == 200
    earlier = await api.http.get(f"/streams/a/broadcasts/{EARLIER}/events")
    assert (earlier.status_code, earlier.json()["code"]) == (503, "store-unavailable")
    api.store.failing = None


async def test_an_idle_stream_has_the_events_of_its_last_broadcast(api: Api, owner: FakeOwner) -> None:
    await store_log(api, log(BROADCAST, "started", "ended", complete=True))
    await api.off_air("a")
    page = (await api.http.get("/streams/a/events")).json()
    assert (page["broadcast"], page["state"]) == (BROADCAST, "ended")


@pytest.mark.parametrize(
    ("codes", "complete", "state"),
    [
        (("started", "ended"), True, "ended"),
        (("started", "ended"), False, "ended"),
        (("started",), False, "interrupted"),
    ],
)
async def test_the_state_of_a_broadcast_that_is_not_on_air(
    api: Api, codes: tuple[str, ...], complete: bool, state: str
) -> None:
    await store_log(api, log(EARLIER, *codes, complete=complete))
    assert (await api.http.get(f"/streams/a/broadcasts/{EARLIER}/events")).json()["state"] == state


async def test_a_broadcast_that_is_ending_is_live_until_its_log_is_complete(api: Api, owner: FakeOwner) -> None:
    claim = await api.cluster.owner_of("a")
    assert claim is not None
    await api.cluster.update(claim, ClaimState.ENDING)
    page = (await api.http.get("/streams/a/events", params={"wait": 10})).json()
    assert (page["broadcast"], page["state"], page["events"]) == (BROADCAST, "live", [])
    await store_log(api, log(BROADCAST, "started", "ended"))
    page = (await api.http.get("/streams/a/events", params={"after": 1})).json()
    assert ([each["code"] for each in page["events"]], page["state"]) == (["ended"], "live")
    await store_log(api, log(BROADCAST, "started", "ended", complete=True))
    assert (await api.http.get("/streams/a/events", params={"after": 2})).json()["state"] == "ended"


async def test_a_request_that_waits_is_answered_when_the_broadcast_ends(api: Api, owner: FakeOwner) -> None:
    owner.gate.clear()
    asked = asyncio.ensure_future(api.http.get("/streams/a/events", params={"after": 2, "wait": 30}))
    await asyncio.wait_for(owner.called.wait(), 5)
    await store_log(api, log(BROADCAST, "started", "publisher-lost", "ended", complete=True))
    await api.off_air("a")
    page = (await asyncio.wait_for(asked, 5)).json()
    assert ([each["code"] for each in page["events"]], page["state"]) == (["ended"], "ended")


async def test_the_owner_is_asked_to_wait(api: Api, owner: FakeOwner) -> None:
    await api.http.get("/streams/a/events", params={"wait": 2.5})
    await api.http.get(f"/streams/a/broadcasts/{BROADCAST}/events", params={"wait": 30})
    await api.http.get("/streams/a/events")
    assert owner.waits == [2.5, 30.0, 0.0]


async def test_the_number_of_requests_that_wait_has_a_bound(
    api: Api, owner: FakeOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MAX_FOLLOWERS", 2)
    owner.gate.clear()
    waiting = []
    for _ in range(2):
        owner.called.clear()
        waiting.append(asyncio.ensure_future(api.http.get("/streams/a/events", params={"wait": 10})))
        await asyncio.wait_for(owner.called.wait(), 10)
    refused = await api.http.get("/streams/a/events", params={"wait": 10})
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-followers")
    assert refused.headers["retry-after"] == "5"
    owner.gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200, 200]
    assert (await api.http.get("/streams/a/events", params={"wait": 10})).status_code == 200


@pytest.mark.parametrize(
    "query", [{"after": -1}, {"limit": 0}, {"limit": 501}, {"wait": 31}, {"wait": "nan"}, {"after": "x"}]
)
async def test_an_invalid_part_is_refused(api: Api, owner: FakeOwner, query: dict[str, str]) -> None:
    answer = await api.http.get("/streams/a/events", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_what_does_not_exist(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    for path, code in (
        ("/streams/b/events", "stream-not-found"),
        ("/streams/a/events", "broadcast-not-found"),
        (f"/streams/a/broadcasts/{BROADCAST}/events", "broadcast-not-found"),
        ("/streams/a/broadcasts/..%2f..%2fkeys/events", "broadcast-not-found"),
    ):
        answer = await api.http.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["code"] in (code, "not-found"), path
    assert (await api.http.get("/streams/a/events")).json()["detail"] == "a has not been live yet"
