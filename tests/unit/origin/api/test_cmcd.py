"""The address that receives reports, and the figures that come out of them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from origin.api.bounded import MAX_BODY_BYTES
from origin.api.cmcd import (
    ADDRESS_BURST,
    ADDRESS_EACH_SECOND,
    BURST,
    LOOKUP_BURST,
    MAX_LOOKUPS,
    MAX_READING,
    Outcome,
)
from origin.cors import ALLOWED_ORIGINS, PlayerCors
from origin.qoe.cmcd import MAX_REPORTS
from origin.qoe.gauges import QoeCollector
from origin.qoe.ladder import Ladder
from storage.interface import StoreUnavailable
from tests.unit.origin.api.conftest import Api

LADDER = Ladder(video=(("v720p", (2_500_000,)),))
START = 'br=(2500;v),cid="studio",e=ps,msd=800,sid="{}",sta=p,ts=1795257665000,v=2\n'
NEXT = 'bsd=(500),br=(2500;v),cid="studio",e=t,ltc=1500,sid="{}",sta=p,ts=1795257675000,v=2\n'


@contextmanager
def coming_from(api: Api, address: str) -> Iterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(api.app, client=(address, 1))
    yield httpx.AsyncClient(transport=transport, base_url="http://origin/api/v1")


def outcomes(api: Api) -> dict[str, int]:
    return {outcome: count for outcome, count in api.reports.outcomes.items() if count}


async def test_reports_become_figures(api: Api) -> None:
    api.ladders["studio"] = LADDER
    body = START.format("a") + NEXT.format("a") + START.format("b") + "nonsense(\n"
    answer = await api.public.post("/cmcd", content=body, headers={"Content-Type": "application/cmcd"})
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (204, b"", "no-store")
    assert outcomes(api) == {"accepted": 3, "malformed": 1}
    assert (await api.http.get("/streams/studio/qoe")).json() == {
        "stream": "studio",
        "window_s": 300.0,
        "sessions": 2,
        "start_s": {"count": 2, "median": 0.8, "p95": 0.8},
        "latency_s": {"count": 1, "median": 1.5, "p95": 1.5},
        "bitrate_bps": 2_500_000,
        "stalled_ratio": round(0.5 / 10.5, 6),
        "starts": 2,
        "stalls": 1,
        "stalled_s": 0.5,
        "played_s": 10.0,
        "errors": 0,
        "totals": {"starts": 2, "stalls": 1, "stalled_s": 0.5, "played_s": 10.0, "errors": 0},
        "renditions": [
            {
                "rendition": "v720p",
                "sessions": 2,
                "start_s": {"count": 2, "median": 0.8, "p95": 0.8},
                "latency_s": {"count": 1, "median": 1.5, "p95": 1.5},
                "bitrate_bps": 2_500_000,
                "stalled_ratio": round(0.5 / 10.5, 6),
                "starts": 2,
                "stalls": 1,
                "stalled_s": 0.5,
                "played_s": 10.0,
                "errors": 0,
            }
        ],
    }


async def test_reports_in_the_query_and_in_header_fields(api: Api) -> None:
    api.ladders["studio"] = LADDER
    report = START.format("a").strip()
    fields = {"CMCD-Object": "br=2500,ot=v", "CMCD-Session": 'cid="studio",sid="c"', "CMCD-Status": "bs"}
    assert (await api.public.get("/cmcd", params={"CMCD": report, "a": "b"})).status_code == 204
    assert (await api.public.post("/cmcd", params={"CMCD": report.replace('"a"', '"b"')})).status_code == 204
    assert (await api.public.get("/cmcd", headers=fields)).status_code == 204
    assert (await api.public.post("/cmcd", headers={"Content-Type": "text/plain"})).status_code == 204
    assert outcomes(api) == {"accepted": 3}
    assert api.reports.view("studio").whole.sessions == 3


async def test_only_streams_that_exist_have_figures(api: Api) -> None:
    await api.catalogue.create_stream("studio", now=api.now)
    body = START.format("a") + START.format("a").replace("studio", "other")
    assert (await api.public.post("/cmcd", content=body)).status_code == 204
    assert outcomes(api) == {"accepted": 1, "unknown-stream": 1}
    assert api.reports.figures.streams.keys() == {"studio"}
    # Without a live window, the rendition is not known.
    assert api.reports.view("studio").renditions.keys() == {"unknown"}
    assert (await api.http.get("/streams/other/qoe")).json()["code"] == "stream-not-found"


async def test_a_stream_without_reports_has_empty_figures(api: Api) -> None:
    await api.catalogue.create_stream("studio", now=api.now)
    view = (await api.http.get("/streams/studio/qoe")).json()
    assert (view["sessions"], view["start_s"], view["renditions"]) == (0, None, [])
    assert (await api.public.get("/streams/studio/qoe")).status_code == 401


async def test_unknown_streams_cost_the_store_few_reads(api: Api) -> None:
    bodies = [
        "".join(START.format("a").replace("studio", f"no-{number}-{stream}") for stream in range(MAX_REPORTS))
        for number in range(4)
    ]
    api.store.calls.clear()
    for body in bodies:
        assert (await api.public.post("/cmcd", content=body)).status_code == 204
    assert len(api.store.calls) == LOOKUP_BURST
    assert outcomes(api) == {"unknown-stream": LOOKUP_BURST, "not-looked-up": 4 * MAX_REPORTS - LOOKUP_BURST}
    # A stream that is live here needs no look-up.
    api.ladders["studio"] = LADDER
    with coming_from(api, "198.51.100.1") as other:
        await other.post("/cmcd", content=START.format("a"))
    assert outcomes(api)["accepted"] == 1
    # What was not found is remembered.
    api.now += 10
    api.store.calls.clear()
    await api.public.post("/cmcd", content=START.format("a").replace("studio", "no-0-0"))
    assert api.store.calls == []


async def test_few_look_ups_run_at_once_and_a_store_that_fails_is_no_error(api: Api) -> None:
    api.store.failing = StoreUnavailable("down")
    body = START.format("a")
    answers = await asyncio.gather(
        *(api.public.post("/cmcd", content=body.replace("studio", f"s{number}")) for number in range(8))
    )
    assert {answer.status_code for answer in answers} == {204}
    assert outcomes(api) == {"not-looked-up": 8}
    assert MAX_LOOKUPS < 8


async def test_an_address_may_send_so_many_reports(api: Api) -> None:
    api.ladders["studio"] = LADDER
    body = "".join(START.format(session) for session in range(MAX_REPORTS))
    with coming_from(api, "2001:db8::1") as one, coming_from(api, "2001:db8::2") as neighbour:
        for _ in range(ADDRESS_BURST // MAX_REPORTS):
            assert (await one.post("/cmcd", content=body)).status_code == 204
        refused = await neighbour.post("/cmcd", content=body)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-reports")
        assert refused.headers["retry-after"] == "1"
        assert (await neighbour.post("/cmcd?quiet=1", content=body)).status_code == 204
        with coming_from(api, "198.51.100.1") as other:
            assert (await other.post("/cmcd", content=body)).status_code == 204
        # The clock's value is not exact.
        api.now += 1.001 * MAX_REPORTS / ADDRESS_EACH_SECOND
        assert (await neighbour.post("/cmcd", content=body)).status_code == 204
        assert (await neighbour.post("/cmcd", content=body)).status_code == 429
    assert outcomes(api)["refused"] == 3


async def test_all_addresses_together_may_send_so_many_reports(api: Api) -> None:
    api.ladders["studio"] = LADDER
    body = "".join(START.format(session) for session in range(MAX_REPORTS))
    statuses = []
    for number in range(2 * BURST // MAX_REPORTS):
        with coming_from(api, f"198.51.100.{number}") as client:
            statuses.append((await client.post("/cmcd", content=body)).status_code)
    assert statuses == [204] * (BURST // MAX_REPORTS) + [429] * (BURST // MAX_REPORTS)


async def test_no_request_uses_up_more_than_it_may_have_reports(api: Api) -> None:
    with coming_from(api, "198.51.100.1") as client:
        assert (await client.post("/cmcd", content="\n" * MAX_BODY_BYTES)).status_code == 204
        assert (await client.post("/cmcd", content=START.format("a"))).status_code == 204


async def test_bodies_that_arrive_together_share_what_is_left(api: Api) -> None:
    """Clients could send all but the end of their bodies, and the ends at the same moment."""
    api.ladders["studio"] = LADDER
    gate = asyncio.Event()
    body = "".join(START.format(session) for session in range(MAX_REPORTS)).encode()

    async def slowly() -> AsyncIterator[bytes]:
        await gate.wait()
        yield body

    async def post(number: int) -> int:
        with coming_from(api, f"198.51.{number >> 8}.{number & 255}") as client:
            return (await client.post("/cmcd", content=slowly())).status_code

    tasks = [asyncio.create_task(post(number)) for number in range(MAX_READING + 5)]
    while api.reports._reading < MAX_READING:
        await asyncio.sleep(0)
    gate.set()
    statuses = await asyncio.gather(*tasks)
    assert statuses.count(204) == BURST // MAX_REPORTS
    assert outcomes(api)["refused"] == len(statuses) - BURST // MAX_REPORTS


async def test_a_large_body_is_refused(api: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"a" * 1000

    assert (await api.public.post("/cmcd", content=b"a" * MAX_BODY_BYTES)).status_code == 204
    for content in (b"a" * (MAX_BODY_BYTES + 1), endless()):
        answer = await api.public.post("/cmcd", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "content-too-large")


async def test_reports_that_are_switched_off(api: Api) -> None:
    await api.catalogue.create_stream("studio", now=api.now)
    assert (await api.public.get("/watch/studio")).json()["reports"] == "/api/v1/cmcd"
    api.reporting = False
    # A player that gets 410 sends no more (CTA-5004-B).
    answer = await api.public.post("/cmcd", content=START.format("a"))
    assert (answer.status_code, answer.json()["code"]) == (410, "reports-off")
    assert (await api.public.post("/cmcd?quiet=1", content=START.format("a"))).status_code == 204
    assert (await api.public.get("/watch/studio")).json()["reports"] is None
    assert outcomes(api) == {}


async def test_an_answer_that_is_prepared_keeps_nothing_of_a_request(api: Api) -> None:
    pages = ["https://one.example", "https://two.example"]
    app = PlayerCors(api.app, origins=pages)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://origin") as client:
        for reporting in (True, False):
            api.reporting = reporting
            for page in (*pages, "https://other.example", *pages):
                answer = await client.post("/api/v1/cmcd", content="x", headers={"Origin": page})
                assert answer.headers.get_list("access-control-allow-origin") == [page] * (page in pages)
                assert ALLOWED_ORIGINS not in answer.headers
            answer = await client.post("/api/v1/cmcd", content="x")
            assert ALLOWED_ORIGINS in answer.headers
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods(api: Api, method: str) -> None:
    answer = await api.public.request(method, "/cmcd")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_the_metrics(api: Api) -> None:
    api.ladders["studio"] = LADDER
    await api.public.post("/cmcd", content=START.format("a") + NEXT.format("a") + "x\n")
    registry = CollectorRegistry()
    registry.register(QoeCollector(api.reports.figures, api.reports.outcomes, lambda: api.now))
    lines = generate_latest(registry).decode().splitlines()
    labels = '{rendition="v720p",stream="studio"}'
    assert {
        'headwater_qoe_reports_total{outcome="accepted"} 2.0',
        'headwater_qoe_reports_total{outcome="malformed"} 1.0',
        f"headwater_qoe_sessions{labels} 1.0",
        f"headwater_qoe_bytes_per_second{labels} 312500.0",
        f"headwater_qoe_stalls_total{labels} 1.0",
        f"headwater_qoe_stalled_seconds_total{labels} 0.5",
        f"headwater_qoe_played_seconds_total{labels} 10.0",
        f"headwater_qoe_errors_total{labels} 0.0",
        'headwater_qoe_start_seconds_bucket{le="0.5",stream="studio"} 0.0',
        'headwater_qoe_start_seconds_bucket{le="1.0",stream="studio"} 1.0',
        'headwater_qoe_start_seconds_count{stream="studio"} 1.0',
        'headwater_qoe_start_seconds_sum{stream="studio"} 0.8',
        'headwater_qoe_latency_seconds_sum{stream="studio"} 1.5',
    } <= set(lines)
    assert {f'headwater_qoe_reports_total{{outcome="{outcome}"}}' for outcome in Outcome} == {
        line.split()[0] for line in lines if line.startswith("headwater_qoe_reports_total")
    }
