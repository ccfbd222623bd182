import asyncio
from pathlib import Path

import pytest

from bench.origin.__main__ import BENCHMARK
from bench.origin.broadcast import Broadcast, Kind
from bench.origin.burst import Burst, parse_wrk
from bench.origin.candidates import FILES, FRONT, HEADWATER
from bench.origin.crowd import Tally, blocking_reloads, request_repeatedly
from bench.origin.measure import Measured
from bench.runner.options import command_line
from tests.lab.errors import LabError
from tests.lab.peers.nginx_files import NginxFiles
from tests.lab.processes import Cpu
from tests.lab.waiting import run_until_idle
from tests.unit.bench.sections import section
from tests.unit.lab.fake_origin import BASE, FakeLane, FakeOrigin

WRK = """\
Running 1s test @ http://127.0.0.1:8080/x
  1 threads and 16 connections
Requests/sec:  8700.10

{"requests": 9000, "bytes": 18000000, "duration_us": 1020000, "failed": 3, "p50_us": 1500, "p99_us": 4250}
"""


def test_the_output_of_wrk_is_parsed() -> None:
    assert parse_wrk(WRK) == Burst(9000, 18_000_000, 1.02, 3, 1.5, 4.25)


@pytest.mark.parametrize("output", ["", "unable to connect", '{"requests": 1}', "[]"])
def test_output_without_a_result_is_an_error(output: str) -> None:
    with pytest.raises(LabError, match="wrk reported no result"):
        parse_wrk(output)


class Prepared(Broadcast):
    def read(self, path: str) -> bytes:
        assert path == self.playlist
        return FakeOrigin(made=8).playlist("v720p").encode()


def test_the_hot_path_is_the_newest_complete_one() -> None:
    path = f"{BASE}/v720p/media.m3u8"
    broadcast = Prepared(1, "http://127.0.0.1:8080", path)
    assert broadcast.port == 8080
    assert broadcast.hot(Kind.SEGMENT) == f"{BASE}/v720p/10.m4s"
    assert broadcast.hot(Kind.PART) == f"{BASE}/v720p/10.3.m4s"
    assert broadcast.hot(Kind.PLAYLIST) == broadcast.hot(Kind.RELOAD) == path


async def test_a_reload_waits_for_the_next_part() -> None:
    origin, tally = FakeOrigin(), Tally()
    task = asyncio.create_task(blocking_reloads(tally, FakeLane(origin), f"{BASE}/v720p/media.m3u8"))
    await run_until_idle()
    for _ in range(2):
        await origin.make_part()
    task.cancel()
    queries = [path.partition("?")[2] for path in origin.requests]
    assert queries == ["", *(f"_HLS_msn=12&_HLS_part={part}&_HLS_skip=YES" for part in range(3))]
    assert (len(tally.times), tally.failed) == (3, 0)
    assert tally.received > 0


async def test_an_existing_path_is_requested_until_it_fails() -> None:
    origin, tally = FakeOrigin(), Tally()
    path = f"{BASE}/v720p/init-0.mp4"
    task = asyncio.create_task(request_repeatedly(tally, FakeLane(origin), path))
    await run_until_idle()
    assert len(tally.times) > 2
    origin.status[path] = 0
    await run_until_idle()
    task.cancel()
    assert tally.failed == 1
    assert tally.received == 4 * len(tally.times)


def test_files_are_served_at_their_urls(tmp_path: Path) -> None:
    NginxFiles(1, 80, tmp_path).put("/live/s/1.m4s", b"media")
    assert (tmp_path / "live/s/1.m4s").read_bytes() == b"media"


def measured(requests: int, cpu: float, *, failed: int = 0, p99: float | None = 4.0) -> Measured:
    burst = Burst(requests, 1_000_000 * requests, 2.0, failed, p99 and p99 / 2, p99)
    return Measured(burst, Cpu(cpu / 2, cpu / 2), Cpu(cpu / 4, 0.0))


def test_the_section_compares_turns() -> None:
    parts = {HEADWATER: measured(1000, 1.0), FILES: measured(4000, 1.0), FRONT: measured(2000, 1.0)}
    slower = {HEADWATER: measured(1000, 2.0), FILES: measured(4000, 2.0), FRONT: measured(2000, 2.0, failed=1)}
    waits = {HEADWATER: measured(500, 0.5, p99=None)}
    turns = {name: [parts[name], slower[name]] for name in parts}
    found = section(BENCHMARK, ("part", turns), ("blocking reload", {HEADWATER: [waits[HEADWATER]]}))
    headwater, files, front, reload = (row.values for row in found.tables[0].rows)
    assert (headwater["rate"], headwater["megabytes"], headwater["cores"]) == (500, 500, 0.75)
    assert (headwater["per_cpu"], headwater["ratio"], headwater["p99"]) == (750, 0.25, 4.0)
    assert (files["ratio"], files["origin_cores"], front["ratio"]) == (None, None, 0.5)
    assert (reload["ratio"], reload["p50"], reload["per_cpu"]) == (None, None, 1000)
    assert [(aim.measured, aim.met) for aim in found.aims] == [("1 failed", False), ("0.50 for a part", True)]


def test_short_runs_and_runs_without_peers_decide_no_aim() -> None:
    alone = ("part", {HEADWATER: [measured(1000, 1.0)]})
    assert [aim.met for aim in section(BENCHMARK, alone, arguments=["--smoke"]).aims] == [None, None]
    assert [aim.met for aim in section(BENCHMARK, alone).aims] == [True, None]


def test_kinds_are_selected_by_name() -> None:
    options = BENCHMARK.parse(["--kinds", "part,blocking reload"])
    assert options.kinds == (Kind.PART, Kind.RELOAD)
    again = command_line("origin", BENCHMARK.options, options, kinds=(Kind.RELOAD,))
    assert again.startswith('python -m bench.origin --kinds "blocking reload" --seconds 2 --rounds 6')
    with pytest.raises(SystemExit):
        BENCHMARK.parse(["--kinds", "manifest"])
    with pytest.raises(SystemExit):
        BENCHMARK.parse(["--seconds", "60"])
