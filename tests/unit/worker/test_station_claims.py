"""A station's claims on its streams."""

import asyncio

from cluster.claims import ChangeKind, ClaimState
from cluster.memory import MemoryState
from ingest.interface import EndReason
from tests.lab.waiting import run_until_idle
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import changes, node
from tests.unit.worker.gated_cluster import GatedCluster
from tests.unit.worker.stage import STREAM, StationStage, send
from tests.unit.worker.test_station import refusal


async def test_a_broadcast_claims_its_stream_until_it_is_stored() -> None:
    stage = StationStage()
    link = await stage.publish(await stage.create())
    assert link.session is not None
    await send(link.session, 3)
    claim = await stage.cluster.owner_of(STREAM)
    assert claim is not None
    assert (claim.broadcast, claim.state) == (await stage.broadcast(), ClaimState.LIVE)
    stage.store.gate.clear()
    link.end(EndReason.UNPUBLISHED)
    await run_until_idle()
    claim = await stage.cluster.owner_of(STREAM)
    assert claim is not None and claim.state is ClaimState.ENDING
    stage.store.gate.set()
    await stage.station.close()
    assert await stage.cluster.claims() == ()


async def test_a_stream_of_another_node_is_refused() -> None:
    state = MemoryState()
    claim = await state.join(node("b")).claim(STREAM, "20261121t104105z-ab12cd", FakeOwner())
    stage = StationStage(cluster=state.join(node("a")))
    key = await stage.create()
    assert await refusal(stage, key) == "this stream is on air on another server (b): publish there"
    assert await stage.cluster.owner_of(STREAM) == claim
    assert list(stage.station.statuses()) == []
    assert await stage.catalogue.list_broadcasts(STREAM) == []


async def test_a_refused_publisher_can_publish_after_the_other_nodes_broadcast() -> None:
    state = MemoryState()
    other = state.join(node("b"))
    claim = await other.claim(STREAM, "20261121t104105z-ab12cd", FakeOwner())
    stage = StationStage(cluster=state.join(node("a")))
    key = await stage.create()
    await refusal(stage, key)
    await other.update(claim, ClaimState.ENDING)
    await stage.publish(key)
    taken = await other.owner_of(STREAM)
    assert taken is not None
    assert (taken.node, taken.broadcast, taken.epoch) == ("a", await stage.broadcast(), 2)
    await stage.station.close()


async def test_publishers_are_refused_while_the_cluster_cannot_be_reached() -> None:
    stage = StationStage()
    key = await stage.create()
    await stage.cluster.close()
    assert await refusal(stage, key) == "the server cannot reach its cluster to claim the stream; try again"


async def test_a_stale_claim_of_this_node_is_replaced() -> None:
    """This happens after a crash of the process, if the cluster survives it."""
    stage = StationStage()
    left = await stage.cluster.claim(STREAM, "20261121t104105z-ab12cd", FakeOwner())
    await stage.publish(await stage.create())
    claim = await stage.cluster.owner_of(STREAM)
    assert claim is not None
    assert (claim.broadcast, claim.epoch) == (await stage.broadcast(), left.epoch + 1)
    await stage.station.close()


async def test_a_broadcast_that_starts_at_the_end_of_another_claims_the_stream() -> None:
    """The end of the old broadcast does not change the new claim."""
    stage = StationStage()
    key = await stage.create()
    link = await stage.publish(key)
    assert link.session is not None
    await send(link.session, 3)
    watch = await stage.cluster.watch()
    (old,) = watch.present
    stage.store.gate.clear()
    link.end(EndReason.UNPUBLISHED)
    new_link = await stage.publish(key)
    stage.store.gate.set()
    assert await changes(watch, 1) == [(ChangeKind.MOVED, "a", old.epoch + 1)]
    await run_until_idle()
    claim = await stage.cluster.owner_of(STREAM)
    assert claim is not None
    assert (claim.epoch, claim.broadcast) == (old.epoch + 1, await stage.broadcast())
    assert new_link.kicks == []
    await stage.station.close()
    assert await stage.cluster.claims() == ()


async def test_publishers_that_arrive_during_the_claim_feed_one_broadcast() -> None:
    cluster = GatedCluster()
    stage = StationStage(cluster=cluster)
    key = await stage.create()
    cluster.gate.clear()
    publishing = [asyncio.create_task(stage.publish(key)) for _ in range(3)]
    await run_until_idle()
    assert not any(task.done() for task in publishing)
    cluster.gate.set()
    links = await asyncio.gather(*publishing)
    assert [len(link.kicks) for link in links] == [1, 1, 0]
    await stage.station.close()
    assert len(await stage.catalogue.list_broadcasts(STREAM)) == 1


async def test_a_publisher_that_leaves_during_the_claim_blocks_no_other() -> None:
    cluster = GatedCluster()
    stage = StationStage(cluster=cluster)
    key = await stage.create()
    cluster.gate.clear()
    first, second = asyncio.create_task(stage.publish(key)), asyncio.create_task(stage.publish(key))
    await run_until_idle()
    first.cancel()
    await run_until_idle()
    cluster.gate.set()
    assert (await second).kicks == []
    assert list(stage.station.statuses()) != []
    await stage.station.close()


async def test_a_slow_claim_does_not_delay_other_streams() -> None:
    cluster = GatedCluster()
    stage = StationStage(cluster=cluster)
    key = await stage.create()
    on_air = await stage.create("two")
    await stage.publish(on_air)
    cluster.gate.clear()
    waiting = asyncio.create_task(stage.publish(key))
    await run_until_idle()
    second = await stage.publish(on_air)
    assert second.session is not None
    cluster.gate.set()
    await waiting
    await stage.station.close()


async def test_statuses_are_those_of_live_streams_by_name() -> None:
    stage = StationStage()
    links = {stream: await stage.publish(await stage.create(stream)) for stream in ("b", "c", "a")}
    assert [status.stream for status in stage.station.statuses()] == ["a", "b", "c"]
    links["b"].end(EndReason.UNPUBLISHED)
    assert [status.stream for status in stage.station.statuses()] == ["a", "c"]
    await stage.station.close()
    assert list(stage.station.statuses()) == []
