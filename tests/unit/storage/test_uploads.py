import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import ObjectStore, StorageError, StoreMisconfigured, StoreUnavailable
from storage.backlog import Backlog
from storage.object_keys import InvalidKey
from storage.spool import Spool
from storage.uploads import UploadQueue
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle


class Uploads:
    """A queue on a store that a test controls; records the queue's notifications."""

    def __init__(
        self,
        *,
        max_bytes: int = 1000,
        parallel: int = 2,
        spool: Spool | None = None,
        backlog: Backlog | None = None,
    ) -> None:
        self.store = MemoryStore()
        self.stored: list[str] = []
        self.lost: list[tuple[str, StorageError | None]] = []
        self.troubles: list[str | None] = []
        self.delays: list[float] = []
        self.now = 100.0
        self.queue = UploadQueue(
            self.store,
            backlog=backlog or Backlog(max_bytes, spool),
            parallel=parallel,
            on_stored=self.stored.append,
            on_lost=lambda key, error: self.lost.append((key, error)),
            on_trouble=lambda error: self.troubles.append(error.code if error else None),
            clock=lambda: self.now,
            sleep=self._sleep,
            jitter=lambda: 0.0,
        )

    def media(self, key: str, size: int = 10, *, required: bool = False) -> None:
        put = self.queue.put_init if required else self.queue.put_media
        put(key, b"x" * size)

    def text(self, key: str, render: Callable[[], bytes | None] | None = None) -> None:
        """By default the text lists what is stored when it is rendered."""
        made = render or self._list_stored

        async def rendered() -> bytes | None:
            return made()

        self.queue.put_text(key, rendered)

    def hold(self, *keys: str) -> None:
        self.store.hold.update((key, asyncio.Event()) for key in keys)

    def release(self, *keys: str) -> None:
        for key in keys:
            self.store.hold[key].set()

    async def drained(self) -> None:
        assert await self.queue.drain(timeout=5)

    def _list_stored(self) -> bytes:
        return " ".join(sorted(self.stored)).encode()

    async def _sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        await asyncio.sleep(0)


def test_the_memory_store_is_an_object_store() -> None:
    store: ObjectStore = MemoryStore()
    assert store is not None


async def test_media_are_stored_and_reported() -> None:
    uploads = Uploads()
    for number in range(5):
        uploads.media(f"m{number}")
    assert uploads.queue.pending_bytes == 50
    await uploads.drained()
    assert sorted(uploads.stored) == ["m0", "m1", "m2", "m3", "m4"]
    assert uploads.store.keys_of("put") == ["m0", "m1", "m2", "m3", "m4"]
    assert uploads.queue.pending_bytes == 0
    assert uploads.lost == []


async def test_at_most_parallel_puts_run_at_once() -> None:
    uploads = Uploads(parallel=3)
    for number in range(10):
        uploads.media(f"m{number}")
    await uploads.drained()
    assert uploads.store.most_at_once == 3


async def test_a_text_waits_for_earlier_media_and_lists_them() -> None:
    uploads = Uploads()
    uploads.hold("m1")
    uploads.media("m0")
    uploads.media("m1")
    uploads.text("list")
    await run_until_idle()
    assert uploads.stored == ["m0"]
    assert "list" not in uploads.store.objects
    uploads.release("m1")
    await uploads.drained()
    assert uploads.store.body("list") == b"m0 m1"


async def test_a_text_does_not_wait_for_later_media() -> None:
    uploads = Uploads()
    uploads.media("m0")
    uploads.text("list")
    uploads.hold("m1")
    uploads.media("m1")
    await run_until_idle()
    assert uploads.store.body("list") == b"m0"
    uploads.release("m1")
    await uploads.drained()


async def test_media_in_flight_do_not_delay_a_text() -> None:
    uploads = Uploads(parallel=1)
    uploads.text("list")
    uploads.hold("m0")
    uploads.media("m0")
    await run_until_idle()
    assert uploads.store.body("list") == b""
    uploads.release("m0")
    await uploads.drained()


async def test_waiting_texts_of_one_key_are_merged() -> None:
    uploads = Uploads()
    uploads.hold("m0")
    uploads.media("m0")
    for number in range(5):
        uploads.text("list", lambda number=number: b"%d" % number)  # type: ignore[misc]
    await run_until_idle()
    uploads.release("m0")
    await uploads.drained()
    assert uploads.store.keys_of("put") == ["m0", "list"]
    assert uploads.store.body("list") == b"4"


async def test_a_playlist_is_put_while_media_keep_coming() -> None:
    uploads = Uploads(parallel=2)
    keys = [f"m{number}" for number in range(20)]
    uploads.hold(*keys)
    for number, key in enumerate(keys):
        uploads.media(key)
        uploads.text("list")
        if number >= 2:
            # The store is always behind: what was submitted two media ago is only now stored.
            uploads.release(keys[number - 2])
            await run_until_idle()
    assert uploads.store.keys_of("put").count("list") >= 5
    uploads.release(*keys)
    await uploads.drained()
    assert uploads.store.body("list") == " ".join(sorted(keys)).encode()


async def test_texts_are_put_in_order() -> None:
    uploads = Uploads()
    uploads.hold("m0")
    uploads.media("m0")
    uploads.text("media.m3u8")
    uploads.text("master.m3u8")
    uploads.text("media.m3u8")
    uploads.media("m1")
    uploads.text("master.m3u8")
    uploads.release("m0")
    await uploads.drained()
    texts = [key for key in uploads.store.keys_of("put") if key.endswith("m3u8")]
    assert texts == ["media.m3u8", "master.m3u8", "media.m3u8", "master.m3u8"]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["media", "text a", "text b", "turn"]), st.integers(0, 3)), max_size=40),
    st.integers(1, 4),
)
def test_a_text_always_starts_after_all_earlier_media(steps: list[tuple[str, int]], parallel: int) -> None:
    """``steps`` are submissions, with the number of times that their puts fail first, and event loop iterations."""

    async def play() -> None:
        uploads = Uploads(max_bytes=80, parallel=parallel)
        submitted: list[str] = []
        last_text: dict[str, frozenset[str]] = {}
        seen: dict[str, frozenset[str]] = {}

        def finished() -> set[str]:
            return {*uploads.stored, *(key for key, _ in uploads.lost)}

        for number, (step, failures) in enumerate(steps):
            if step == "turn":
                await asyncio.sleep(0)
                continue
            key = f"m{number}" if step == "media" else step.replace(" ", "-")
            uploads.store.failures.setdefault(key, []).extend([StoreUnavailable("down")] * failures)
            if step == "media":
                submitted.append(key)
                uploads.media(key)
                continue
            before = frozenset(submitted)
            last_text[key] = before

            def render(key: str = key, before: frozenset[str] = before) -> bytes:
                assert before <= finished()
                assert seen.get(key, frozenset()) <= before
                seen[key] = before
                return b"list"

            uploads.text(key, render)
        await uploads.drained()
        assert finished() == set(submitted)
        assert len(uploads.stored) + len(uploads.lost) == len(submitted)
        assert seen == last_text

    asyncio.run(play())


async def test_a_text_rendered_as_none_is_not_put() -> None:
    uploads = Uploads()
    uploads.text("list", lambda: None)
    await uploads.drained()
    assert uploads.store.calls == []


async def test_a_text_that_fails_to_render_does_not_stop_the_queue() -> None:
    uploads = Uploads()

    def broken() -> bytes:
        raise ZeroDivisionError

    uploads.text("broken", broken)
    uploads.text("list")
    await uploads.drained()
    assert uploads.store.keys_of("put") == ["list"]


async def test_a_failing_store_is_retried_with_growing_delays() -> None:
    uploads = Uploads()
    uploads.store.failures["m0"] = [StoreUnavailable("down")] * 8
    uploads.media("m0")
    uploads.text("list")
    await uploads.drained()
    assert uploads.delays == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert uploads.stored == ["m0"]
    assert uploads.store.body("list") == b"m0"
    assert uploads.troubles == ["store-unavailable", None]


async def test_a_text_is_rendered_again_for_each_retry() -> None:
    uploads = Uploads()
    uploads.store.failures["list"] = [StoreUnavailable("down")] * 2
    uploads.text("list")
    uploads.media("m0")
    await uploads.drained()
    assert uploads.store.body("list") == b"m0"


async def test_a_misconfigured_store_is_retried_slowly_and_reported_once() -> None:
    uploads = Uploads()
    uploads.store.failing = StoreMisconfigured("access denied")
    for number in range(3):
        uploads.media(f"m{number}")
    await run_until_idle()
    assert uploads.troubles == ["store-misconfigured"]
    assert min(uploads.delays) == 5.0
    uploads.store.failing = None
    await uploads.drained()
    assert uploads.troubles == ["store-misconfigured", None]
    assert sorted(uploads.stored) == ["m0", "m1", "m2"]


async def test_trouble_lasts_while_any_object_fails() -> None:
    uploads = Uploads()
    uploads.store.failures["bad"] = [StoreUnavailable("down")] * 10
    uploads.media("bad")
    for number in range(5):
        uploads.media(f"m{number}")
    await uploads.drained()
    assert uploads.troubles == ["store-unavailable", None]


async def test_media_with_an_invalid_key_are_lost_and_block_nothing() -> None:
    uploads = Uploads()
    error = InvalidKey("no key")
    uploads.store.failures["m0"] = [error]
    uploads.media("m0")
    uploads.text("list")
    await uploads.drained()
    assert uploads.lost == [("m0", error)]
    assert uploads.store.body("list") == b""


async def test_the_oldest_waiting_media_are_dropped_to_make_room() -> None:
    uploads = Uploads(max_bytes=40, parallel=1)
    uploads.hold("m0")
    uploads.media("m0")
    await run_until_idle()
    for number in range(1, 7):
        uploads.media(f"m{number}")
    assert uploads.lost == [("m1", None), ("m2", None), ("m3", None)]
    assert uploads.queue.pending_bytes == 40
    uploads.text("list")
    uploads.release("m0")
    await uploads.drained()
    assert uploads.stored == ["m0", "m4", "m5", "m6"]
    assert uploads.store.body("list") == b"m0 m4 m5 m6"


async def test_media_dropped_while_the_store_is_down_have_its_error() -> None:
    uploads = Uploads(max_bytes=20, parallel=1)
    uploads.store.failing = StoreUnavailable("down")
    uploads.media("m0")
    await run_until_idle()
    uploads.media("m1")
    uploads.media("m2")
    assert uploads.lost == [("m1", uploads.store.failing)]
    uploads.store.failing = None
    await uploads.drained()


async def test_required_media_are_dropped_last() -> None:
    uploads = Uploads(max_bytes=30, parallel=1)
    uploads.hold("m0")
    uploads.media("m0")
    await run_until_idle()
    uploads.media("init", required=True)
    uploads.media("m1")
    uploads.media("m2")
    uploads.media("other-init", required=True)
    assert [key for key, _ in uploads.lost] == ["m1", "m2"]
    uploads.media("third-init", required=True)
    assert [key for key, _ in uploads.lost] == ["m1", "m2", "init"]
    uploads.release("m0")
    await uploads.drained()


async def test_an_object_larger_than_the_queue_is_lost_at_once() -> None:
    uploads = Uploads(max_bytes=40)
    uploads.media("huge", 41)
    assert uploads.lost == [("huge", None)]
    await uploads.drained()


async def test_the_age_is_that_of_the_oldest_waiting_object() -> None:
    uploads = Uploads()
    assert uploads.queue.oldest_age(500.0) == 0.0
    uploads.hold("m0", "list")
    uploads.media("m0")
    uploads.now = 103.0
    uploads.text("list")
    assert uploads.queue.oldest_age(110.0) == 10.0
    uploads.release("m0")
    await run_until_idle()
    assert uploads.queue.oldest_age(110.0) == 7.0
    uploads.release("list")
    await uploads.drained()
    assert uploads.queue.oldest_age(110.0) == 0.0


async def test_drain_times_out() -> None:
    uploads = Uploads()
    uploads.hold("m0")
    uploads.media("m0")
    assert not await uploads.queue.drain(timeout=0.01)
    uploads.release("m0")
    await uploads.drained()


async def test_close_loses_what_is_not_stored() -> None:
    uploads = Uploads(parallel=1)
    uploads.hold("m0")
    uploads.media("m0")
    uploads.media("m1")
    uploads.text("list")
    await run_until_idle()
    await uploads.queue.close()
    assert uploads.lost == [("m0", None), ("m1", None)]
    uploads.media("m2")
    uploads.text("list")
    await run_until_idle()
    assert uploads.lost[-1] == ("m2", None)
    assert uploads.store.objects == {}
    assert uploads.queue.pending_bytes == 0
    await uploads.drained()


async def test_a_failing_callback_does_not_stop_the_queue(caplog: pytest.LogCaptureFixture) -> None:
    def fail(key: str) -> None:
        raise RuntimeError("broken")

    store = MemoryStore()
    queue = UploadQueue(store, on_stored=fail, on_lost=lambda key, error: None)
    for number in range(3):
        queue.put_media(f"m{number}", b"x")
    assert await queue.drain(timeout=5)
    assert len(store.objects) == 3


async def test_an_undeclared_failure_is_retried() -> None:
    class Odd(MemoryStore):
        broken = True

        async def _called(self, verb: str, key: str) -> None:
            await super()._called(verb, key)
            if self.broken:
                self.broken = False
                raise RuntimeError("unforeseen")

    uploads = Uploads()
    uploads.store = Odd()
    uploads.queue._store = uploads.store
    uploads.media("m0")
    await uploads.drained()
    assert uploads.stored == ["m0"]


async def spooling(tmp_path: Path, *, max_bytes: int = 1000) -> tuple[Uploads, Spool]:
    spool = Spool(tmp_path, max_bytes=max_bytes)
    await spool.open()
    return Uploads(max_bytes=1000, spool=spool, parallel=1), spool


async def settled(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_media_of_a_failing_store_wait_in_the_spool_and_not_in_memory(tmp_path: Path) -> None:
    uploads, spool = await spooling(tmp_path)
    uploads.store.failing = StoreUnavailable("down")
    for number in range(5):
        uploads.media(f"live/m{number}")
    await settled(lambda: uploads.queue.memory == 0)
    assert (spool.used, uploads.queue.pending_bytes) == (50, 50)
    uploads.store.failing = None
    await uploads.drained()
    assert uploads.store.puts == [f"live/m{number}" for number in range(5)]
    assert {uploads.store.body(f"live/m{number}") for number in range(5)} == {b"x" * 10}
    await uploads.queue.close()
    assert (spool.used, list(tmp_path.iterdir())) == (0, [])
    await spool.close()


async def test_media_that_a_slow_store_does_not_take_go_to_the_spool(tmp_path: Path) -> None:
    uploads, spool = await spooling(tmp_path)
    uploads.hold("live/m0")
    uploads.media("live/m0")
    uploads.media("live/m1")
    await run_until_idle()
    assert spool.used == 0
    uploads.now += 2.1
    uploads.media("live/m2")
    await settled(lambda: uploads.queue.memory == 10)
    assert spool.used == 20
    uploads.release("live/m0")
    await uploads.drained()
    assert uploads.stored == ["live/m0", "live/m1", "live/m2"]
    await uploads.queue.close()
    assert spool.used == 0
    await spool.close()


async def test_a_full_spool_loses_its_oldest_media(tmp_path: Path) -> None:
    uploads, spool = await spooling(tmp_path, max_bytes=30)
    uploads.store.failing = StoreUnavailable("down")
    for number in range(6):
        uploads.media(f"live/m{number}")
        await settled(lambda: uploads.queue.memory == 0)
    # The first is being uploaded.
    assert [key for key, _ in uploads.lost] == ["live/m1", "live/m2", "live/m3"]
    assert spool.used == 30
    uploads.store.failing = None
    await uploads.drained()
    assert uploads.stored == ["live/m0", "live/m4", "live/m5"]
    await uploads.queue.close()
    await spool.close()


async def test_a_suspended_queue_leaves_its_media_for_the_next_process(tmp_path: Path) -> None:
    uploads, spool = await spooling(tmp_path)
    uploads.hold("live/m0")
    uploads.media("live/m0")
    uploads.media("live/m1")
    assert await uploads.queue.suspend()
    assert uploads.lost == []
    await spool.close()
    later, spool = await spooling(tmp_path)
    assert sorted(spool.keys()) == ["live/m0", "live/m1"]
    for key in ("live/m0", "live/m1"):
        later.queue.put_spooled(key, 10)
    await later.drained()
    assert later.stored == ["live/m0", "live/m1"]
    await later.queue.close()
    assert spool.used == 0
    await spool.close()


async def test_media_stay_in_memory_if_the_spool_cannot_be_written(tmp_path: Path) -> None:
    uploads, spool = await spooling(tmp_path)
    (tmp_path / "live").write_text("a file")
    uploads.store.failing = StoreUnavailable("down")
    for number in range(3):
        uploads.media(f"live/m{number}")
    await asyncio.sleep(0.05)
    assert uploads.queue.memory == 30
    uploads.store.failing = None
    await uploads.drained()
    assert uploads.stored == ["live/m0", "live/m1", "live/m2"]
    await uploads.queue.close()
    await spool.close()


async def test_the_queue_that_holds_most_loses_media_when_memory_is_full() -> None:
    backlog = Backlog(100)
    small, large = Uploads(backlog=backlog), Uploads(backlog=backlog)
    for uploads, count in ((small, 3), (large, 7)):
        uploads.store.gate.clear()
        for number in range(count):
            uploads.media(f"m{number}")
    small.media("m3")
    assert (small.lost, [key for key, _ in large.lost]) == ([], ["m2"])
    for uploads in (small, large):
        await uploads.queue.close()
