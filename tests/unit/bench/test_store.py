import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.runner.options import command_line
from bench.store.__main__ import BENCHMARK, OUTAGE
from bench.store.candidates import DIRECTORY, OURS, PRESIGNED, SDK, Put, on_disk
from bench.store.measure import PARALLEL, PLAYLIST, SEGMENT, Kind, Turn, measure
from bench.store.outage import TRACKS, Broadcast, Outage
from storage.uploads import UploadQueue
from tests.lab.memory_store import MemoryStore
from tests.lab.minio import MISSING, MinioServer, missing
from tests.unit.bench.sections import groups, of_groups, section


def test_a_turn_puts_every_object_once_and_several_at_a_time() -> None:
    seen: list[tuple[str, int]] = []
    in_flight = most = 0

    async def put(key: str, body: bytes) -> None:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await asyncio.sleep(0)
        in_flight -= 1
        seen.append((key, len(body)))

    @asynccontextmanager
    async def candidate(keys: tuple[str, ...]) -> AsyncIterator[Put]:
        announced.extend(keys)
        yield put

    announced: list[str] = []
    turn = measure(candidate, Kind("small", 7, "m4s"), 11)
    assert sorted(key for key, _ in seen) == sorted(announced)
    assert {size for _, size in seen} == {7}
    assert most == PARALLEL
    assert (turn.objects, len(turn.each)) == (11, 11)
    assert sum(key.startswith("track/") for key in announced) == 11


def test_the_directory_store_is_a_candidate(tmp_path: Path) -> None:
    turn = measure(on_disk(tmp_path)[DIRECTORY], PLAYLIST, 3)
    assert turn.objects == 3
    assert (tmp_path / "track" / "2.m3u8").stat().st_size == PLAYLIST.size


async def test_a_broadcast_counts_its_unstored_segments() -> None:
    store = MemoryStore()
    store.gate.clear()
    broadcast = Broadcast(segment_s=60)
    queue = UploadQueue(store, on_stored=broadcast.stored, on_lost=lambda key, _: broadcast.lose(key))
    feeding = asyncio.create_task(broadcast.feed(queue))
    await asyncio.sleep(0)
    assert broadcast.unstored == {f"{track}/0.m4s" for track in TRACKS}
    waiting = asyncio.create_task(broadcast.wait_stored(frozenset(broadcast.unstored)))
    await asyncio.sleep(0)
    assert not waiting.done()
    store.gate.set()
    await asyncio.wait_for(waiting, 5)
    assert not broadcast.unstored and not broadcast.lost
    feeding.cancel()
    await queue.close()


def turn(cpu_ms: float) -> Turn:
    return Turn(10, cpu_ms / 100, 0.5, (0.01, 0.03))


def test_the_section_compares_turn_by_turn() -> None:
    turns = {
        OURS: [turn(3), turn(8), turn(3)],
        SDK: [turn(2), turn(4), turn(1)],
        PRESIGNED: [turn(1), turn(2), turn(1)],
    }
    costs = groups((SEGMENT.name, turns))
    outages = groups(
        ("20 s", {OURS: [Outage(20.0, 30, 8_000_000, 4.0, 0)]}),
        ("5 s", {OURS: [Outage(5.0, 9, 2_000_000, 3.0, 0)]}),
        kind=OUTAGE,
    )
    found = of_groups(BENCHMARK, (*costs, *outages), notes=["skipped"])
    ours = found.tables[0].rows[0]
    assert ours.values["cpu"] == pytest.approx(3)
    assert ours.values["ratio"] == pytest.approx(2)
    assert ours.values["floor"] == pytest.approx(3)
    assert ours.values["wall"] == pytest.approx(50)
    assert (ours.values["p50"], ours.values["p99"]) == (10.0, 30.0)
    assert found.tables[0].rows[1].values["ratio"] is None
    assert found.tables[1].rows[0].command == "again 20 s"
    assert found.tables[1].rows[0].values["share"] == pytest.approx(0.2)
    assert [aim.met for aim in found.aims] == [False, True]
    assert found.notes == ("skipped",)
    lost = groups(("20 s", {OURS: [Outage(20.0, 30, 8_000_000, 4.0, 1)]}), kind=OUTAGE)
    assert [aim.met for aim in of_groups(BENCHMARK, (*costs, *lost)).aims] == [False, False]


def test_short_runs_and_runs_without_peers_decide_no_aim() -> None:
    assert section(BENCHMARK, (SEGMENT.name, {DIRECTORY: [turn(1)]})).aims == ()
    both = (SEGMENT.name, {OURS: [turn(1)], SDK: [turn(2)]})
    assert [aim.met for aim in section(BENCHMARK, both, arguments=["--smoke"]).aims] == [None]
    assert [aim.met for aim in section(BENCHMARK, both).aims] == [True]


def test_rows_have_their_commands() -> None:
    options = BENCHMARK.parse(["--rounds", "2", "--no-outage"])
    assert command_line("store", BENCHMARK.options, options) == (
        "python -m bench.store --objects 200 --rounds 2 --no-outage"
    )
    outage = command_line("store", BENCHMARK.options, options, objects=0, rounds=None, outage=(5.0,))
    assert outage == "python -m bench.store --objects 0 --outage 5"
    assert BENCHMARK.parse(outage.split()[3:]).outage == (5.0,)


def test_a_missing_minio_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_TEST_MINIO", "/nowhere/minio")
    assert missing() == MISSING


def test_a_server_hides_its_secret(tmp_path: Path) -> None:
    server = MinioServer(tmp_path, "minio")
    secret = server.account.secret_key
    assert secret not in repr(server)
    assert server.account.environment["AWS_SECRET_ACCESS_KEY"] == secret
