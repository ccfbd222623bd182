"""The windows of an origin that joins a broadcast late or misses messages."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from live.bus import Bus
from live.errors import WindowGap
from live.messages import BroadcastChanged, BroadcastClosed, LiveMessage
from live.topics import MEDIA, BroadcastRef
from live.window import Reload
from live.window_snapshot import WindowSnapshot
from live.window_track import Position
from origin import backlog
from origin.live import LiveWindows, Snapshots, no_snapshots
from packager.cmaf.segment_writer import Part, Segment
from tests.lab.waiting import run_until_idle
from tests.unit.live.scripted import BROADCAST, STREAM, Script, messages, window_after
from tests.unit.origin.test_low_latency import FRAMES, LiveOrigin

MESSAGES = messages(Script(600, range(0, 600, 60)))
MIDDLE = 120
LATER = f"{BROADCAST[:-6]}ffffff"


def taken(place: int) -> WindowSnapshot:
    snapshot = window_after(MESSAGES[:place]).snapshot()
    assert snapshot is not None
    return snapshot


def publish(bus: Bus, sent: Sequence[LiveMessage]) -> None:
    for message in sent:
        bus.publish(MEDIA, BroadcastRef(STREAM, BROADCAST), message)


def joined(place: int, snapshots: Snapshots = no_snapshots) -> tuple[Bus, LiveWindows]:
    bus = Bus()
    windows = LiveWindows(bus, snapshots)
    publish(bus, MESSAGES[place:])
    return bus, windows


def assert_complete(windows: LiveWindows) -> None:
    window, whole = windows.find(STREAM, BROADCAST), window_after(MESSAGES)
    assert window is not None
    for track in whole.tracks:
        assert window.playlist(track) == whole.playlist(track)
        assert window.part(track, Position(9, 1)) == whole.part(track, Position(9, 1)) is not None


def test_a_broadcast_joined_late_has_no_window_without_a_snapshot() -> None:
    _, windows = joined(MIDDLE)
    assert windows.find(STREAM, BROADCAST) is None and windows.newest(STREAM) is None
    assert windows.is_awaited(BROADCAST)
    assert windows.snapshot(STREAM, BROADCAST) is None


def test_a_gap_is_counted_once_per_window() -> None:
    bus, gaps = Bus(), list[str]()
    LiveWindows(bus, on_gap=gaps.append)
    publish(bus, MESSAGES[MIDDLE:])
    assert gaps == [STREAM]


@pytest.mark.parametrize("place", [MIDDLE - 30, MIDDLE, MIDDLE + 1, MIDDLE + 30])
def test_a_seed_and_all_later_messages_make_a_window(place: int) -> None:
    """Messages that the seed already contains change nothing."""
    bus, windows = joined(len(MESSAGES))
    publish(bus, MESSAGES[MIDDLE - 30 : MIDDLE + 30])
    windows.seed(taken(place))
    assert not windows.is_awaited(BROADCAST)
    publish(bus, MESSAGES[MIDDLE + 30 :])
    assert_complete(windows)


def test_a_seed_that_is_too_old_is_not_used() -> None:
    bus, windows = joined(len(MESSAGES))
    publish(bus, MESSAGES[MIDDLE : MIDDLE + 30])
    windows.seed(taken(MIDDLE - 30))
    assert windows.find(STREAM, BROADCAST) is None and windows.is_awaited(BROADCAST)
    windows.seed(taken(MIDDLE))
    publish(bus, MESSAGES[MIDDLE + 30 :])
    assert_complete(windows)


def test_a_window_is_copied_from_another_origin() -> None:
    bus = Bus()
    first = LiveWindows(bus)
    publish(bus, MESSAGES[:MIDDLE])
    second = LiveWindows(bus, first.snapshot)
    publish(bus, MESSAGES[MIDDLE:])
    assert_complete(second)


def test_after_a_lost_message_there_is_no_window_until_the_next_snapshot() -> None:
    requested: list[str] = []
    available: list[WindowSnapshot] = []

    def snapshots(stream: str, broadcast: str) -> WindowSnapshot | None:
        requested.append(broadcast)
        return available.pop() if available else None

    bus, windows = joined(len(MESSAGES), snapshots)
    lost = next(place for place in range(MIDDLE, len(MESSAGES)) if isinstance(MESSAGES[place], Part))
    publish(bus, [*MESSAGES[:lost], *MESSAGES[lost + 1 : lost + 20]])
    assert windows.find(STREAM, BROADCAST) is None and requested
    following = next(place for place in range(lost + 20, len(MESSAGES)) if isinstance(MESSAGES[place], Segment))
    publish(bus, MESSAGES[lost + 20 : following])
    available.append(taken(following))
    publish(bus, MESSAGES[following:])
    assert_complete(windows)


async def test_requests_waiting_in_a_replaced_window_fail_at_once() -> None:
    bus, windows = joined(len(MESSAGES))
    publish(bus, MESSAGES[:MIDDLE])
    window = windows.find(STREAM, BROADCAST)
    assert window is not None
    end = window.tracks["vsource"].end
    assert end is not None
    waiting = asyncio.ensure_future(window.reload("vsource", Reload(Position(end.msn + 1, 0)), 5))
    await asyncio.sleep(0)
    windows.seed(taken(MIDDLE))
    with pytest.raises(WindowGap):
        await waiting
    assert windows.find(STREAM, BROADCAST) is not window


def test_an_older_broadcast_is_not_current_while_a_newer_one_is_awaited() -> None:
    bus, windows = joined(0)
    assert windows.newest(STREAM) is windows.find(STREAM, BROADCAST) is not None
    bus.publish(MEDIA, BroadcastRef(STREAM, LATER), MESSAGES[MIDDLE])
    assert windows.is_awaited(LATER) and windows.newest(STREAM) is None


async def test_a_closed_broadcast_gets_no_window() -> None:
    bus, windows = joined(MIDDLE)
    publish(bus, [BroadcastClosed(STREAM, BROADCAST)])
    assert not windows.is_awaited(BROADCAST)
    windows.seed(taken(MIDDLE))
    publish(bus, MESSAGES[-1:])
    assert windows.find(STREAM, BROADCAST) is None and not windows.is_awaited(BROADCAST)
    windows.close()


def test_a_backlog_is_bounded_and_keeps_the_newest_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MAX_BYTES", 2000)
    monkeypatch.setattr(backlog, "MAX_MESSAGES", 50)
    kept = backlog.Backlog()
    for place, message in enumerate(MESSAGES):
        kept.add(message)
        found = list(kept)
        assert len(found) <= 51
        assert sum(len(m.data) for m in found if isinstance(m, Part | Segment)) <= 2000
        facts = [m for m in MESSAGES[: place + 1] if isinstance(m, BroadcastChanged)]
        assert [m for m in found if isinstance(m, BroadcastChanged)][-1:] == facts[-1:]


@pytest.fixture
async def origin() -> AsyncIterator[LiveOrigin]:
    """An origin that has joined a broadcast in the middle of its third segment."""
    origin = LiveOrigin()
    origin.windows.close()
    origin.advance(FRAMES)
    await run_until_idle()
    origin.join()
    origin.advance(10)
    await run_until_idle()
    yield origin
    await origin.bench.end()
    await origin.client.aclose()


async def test_an_origin_without_a_window_answers_from_the_store(origin: LiveOrigin) -> None:
    assert origin.windows.is_awaited(BROADCAST)
    assert (await origin.get("vsource/media.m3u8")).content == origin.stored("vsource/media.m3u8")
    assert (await origin.get("vsource/2.m4s")).content == origin.stored("vsource/2.m4s")
    assert (await origin.get(f"/live/{STREAM}/master.m3u8")).status_code == 200
    for name in ("vsource/3.m4s", "vsource/3.3.m4s"):
        missing = await origin.get(name)
        assert (missing.status_code, missing.headers["cache-control"]) == (404, "public, max-age=1")


async def test_an_origin_with_a_seed_answers_from_memory(origin: LiveOrigin) -> None:
    snapshot = origin.bench.window.snapshot()
    assert snapshot is not None
    origin.windows.seed(snapshot)
    assert "3.3.m4s" in (await origin.get("vsource/media.m3u8?_HLS_msn=3&_HLS_part=3")).text
    part = await origin.get("vsource/3.3.m4s")
    assert part.content == origin.bench.window.part("vsource", Position(3, 3))


async def test_a_request_that_waits_while_the_window_is_replaced_is_answered_by_the_new_one() -> None:
    origin = LiveOrigin()
    origin.advance(FRAMES)
    await run_until_idle()
    held = [origin.ask("vsource/3.3.m4s"), origin.ask("vsource/media.m3u8?_HLS_msn=3&_HLS_part=3")]
    await run_until_idle()
    snapshot = origin.bench.window.snapshot()
    assert snapshot is not None
    origin.windows.seed(snapshot)
    await run_until_idle()
    origin.advance(10)
    part, playlist = await asyncio.gather(*held)
    assert part.content == origin.bench.window.part("vsource", Position(3, 3))
    assert playlist.text.count("3.3.m4s") == 1
    await origin.bench.end()


@pytest.mark.parametrize(
    ("name", "after"),
    [("vsource/4.m4s", 3), ("vsource/5.m4s", 5), ("vsource/4.2.m4s", 7), ("vsource/999999999999.m4s", 3600)],
)
async def test_a_request_that_is_too_early_gets_retry_after(name: str, after: int) -> None:
    """Two segments of two seconds are complete, and the third has its first second."""
    origin = LiveOrigin(low_latency=False)
    origin.advance(FRAMES)
    await run_until_idle()
    answer = await origin.get(name)
    assert (answer.status_code, answer.headers["retry-after"]) == (404, str(after))
    assert "retry-after" not in (await origin.get("/live/other/master.m3u8")).headers
    await origin.bench.end()
