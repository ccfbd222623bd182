"""Operators and viewers see what is on air while the store is away."""

import asyncio

import pytest

from storage.catalogue.records import StreamSettings
from storage.interface import StoreUnavailable
from tests.unit.origin.api.conftest import NOW, Api
from tests.unit.origin.api.live import BROADCAST, status


def lose_store(api: Api) -> None:
    api.store.failing = StoreUnavailable("down")


async def test_the_list_is_the_last_one(api: Api) -> None:
    for name in ("a", "b"):
        await api.catalogue.create_stream(name, StreamSettings(title=name.upper()), now=NOW)
    await api.on_air(status("a"))
    await api.http.get("/streams")
    lose_store(api)
    answer = await api.http.get("/streams")
    assert answer.status_code == 200
    assert [(view["stream"], view["state"], view["title"]) for view in answer.json()] == [
        ("a", "live", "A"),
        ("b", "idle", "B"),
    ]


async def test_without_a_last_list_it_has_the_streams_on_air(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.catalogue.create_stream("b", now=NOW)
    await api.on_air(status("a"))
    lose_store(api)
    assert [view["stream"] for view in (await api.http.get("/streams")).json()] == ["a"]


async def test_nothing_on_air_and_no_store_is_an_error(api: Api) -> None:
    lose_store(api)
    answer = await api.http.get("/streams")
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")


async def test_one_stream_its_charts_and_its_kill_need_no_store(api: Api) -> None:
    await api.catalogue.create_stream("a", StreamSettings(title="A"), now=NOW)
    await api.on_air(status("a"))
    lose_store(api)
    shown = await api.http.get("/streams/a")
    assert (shown.status_code, shown.json()["title"], shown.json()["state"]) == (200, "A", "live")
    assert (await api.http.get("/streams/a/history")).status_code == 200
    assert (await api.http.post("/streams/a/kill")).status_code == 200
    api.store.failing = None


async def test_a_kill_with_a_ban_that_cannot_be_stored_says_how_to_end_it(api: Api) -> None:
    await api.catalogue.create_stream("a", now=NOW)
    await api.on_air(status("a"))
    lose_store(api)
    answer = await api.http.post("/streams/a/kill", json={"ban_s": 60})
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
    assert answer.json()["detail"].endswith("end it without a ban")
    api.store.failing = None


async def test_viewers_find_the_broadcast(api: Api) -> None:
    await api.catalogue.create_stream("a", StreamSettings(title="A"), now=NOW)
    await api.on_air(status("a"))
    lose_store(api)
    answer = await api.public.get("/watch/a")
    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["hls"]) == ("A", f"/live/a/{BROADCAST}/master.m3u8")


async def test_a_store_that_hangs_delays_no_answer_for_long(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.catalogue.catalogue.LONGEST_ANSWER_S", 0.3)
    monkeypatch.setattr("origin.api.watch.LONGEST_LIST_S", 0.05)
    await api.catalogue.create_stream("a", now=NOW)
    await api.on_air(status("a"))
    api.store.hanging = hanging = asyncio.Event()
    async with asyncio.timeout(5):
        assert (await api.http.get("/streams")).status_code == 200
        assert (await api.http.get("/streams/a")).status_code == 200
        assert (await api.public.get("/watch/a")).status_code == 200
    hanging.set()
