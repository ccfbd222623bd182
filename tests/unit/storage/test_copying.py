"""A copy of a store: its order, its continuation, and what it refuses."""

import pytest

from storage.copying import MARK, TRIES, Copied, CopyDamaged, NothingToCopy, StoreCopy, TargetInUse, forget_copy
from storage.identity import KEY, StoreIdentity
from storage.interface import ObjectInfo, StoreUnavailable
from tests.lab.memory_store import MemoryStore

NOW = 1_795_257_665.0
PREFIX = "live/a/20261101t000000z-aaaaaa"
MEDIA = [f"{PREFIX}/vsource/{name}" for name in ("1.m4s", "2.m4s", "init-1.mp4")]
TEXTS = ["live/a/master.m3u8", f"{PREFIX}/master.m3u8", f"{PREFIX}/vsource/media.m3u8"]
RECORDS = ["catalogue/broadcasts/a/20261101t000000z-aaaaaa.json", "catalogue/streams/a.json"]
DOWN = StoreUnavailable("down")


class Target(MemoryStore):
    """Has no probe of conditions, which a store in memory passes anyway."""

    async def check(self) -> None:
        await self.put(KEY, StoreIdentity(id="other").model_dump_json().encode())


class Forgetful(Target):
    """Stores other bytes than it gets."""

    async def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> ObjectInfo:
        lost = body[:-1] if key.endswith("2.m4s") else body
        return await super().put(key, lost, if_none_match=if_none_match, if_match=if_match)


async def filled() -> MemoryStore:
    source = MemoryStore()
    await source.put(KEY, StoreIdentity(id="source").model_dump_json().encode())
    for key in (*MEDIA, *TEXTS, *RECORDS, "catalogue/check/1234.json"):
        await source.put(key, f"bytes of {key}".encode())
    source.calls.clear()
    return source


async def copy(source: MemoryStore, target: MemoryStore, *, full: bool = False) -> Copied:
    async def no_pause(seconds: float) -> None:
        pass

    return await StoreCopy(source, target, clock=lambda: NOW, full=full, pause=no_pause).run()


async def test_everything_is_copied_media_first_and_the_source_is_only_read() -> None:
    source, target = await filled(), Target()
    copied = await copy(source, target)
    assert {verb for verb, _ in source.calls} == {"get", "list"}
    assert set(target.objects) == {*MEDIA, *TEXTS, *RECORDS, MARK, KEY}
    assert all(target.body(key) == source.body(key) for key in (*MEDIA, *TEXTS, *RECORDS))
    puts = [key for key in target.puts if key not in (MARK, KEY)]
    assert [sorted(puts[:3]), sorted(puts[3:6]), sorted(puts[6:])] == [MEDIA, sorted(TEXTS), RECORDS]
    assert (copied.objects, copied.present) == (8, 0)
    assert copied.bytes == sum(len(source.body(key)) for key in (*MEDIA, *TEXTS, *RECORDS))
    assert f'"finished_at": {NOW}' in target.text(MARK)


async def test_an_interrupted_copy_goes_on() -> None:
    source, target = await filled(), Target()
    target.failures[MEDIA[2]] = [DOWN] * TRIES
    with pytest.raises(StoreUnavailable):
        await copy(source, target)
    assert not any(key in target.objects for key in RECORDS)
    copied = await copy(source, target)
    assert (copied.objects, copied.present) == (6, 2)
    assert set(RECORDS) < set(target.objects)


async def test_a_failure_that_passes_does_not_end_the_copy() -> None:
    source, target = await filled(), Target()
    source.failures[MEDIA[0]] = [DOWN]
    target.failures[MEDIA[1]] = [DOWN] * (TRIES - 1)
    assert (await copy(source, target)).objects == 8


async def test_a_repeated_copy_adds_what_is_new() -> None:
    source, target = await filled(), Target()
    await copy(source, target)
    await source.put(f"{PREFIX}/vsource/3.m4s", b"new")
    await source.put(TEXTS[0], b"changed")
    copied = await copy(source, target)
    assert copied.present == 3
    assert (target.body(f"{PREFIX}/vsource/3.m4s"), target.body(TEXTS[0])) == (b"new", b"changed")


async def test_bytes_that_the_target_does_not_keep_are_noticed() -> None:
    with pytest.raises(CopyDamaged, match=r"2\.m4s"):
        await copy(await filled(), Forgetful())


async def test_a_full_copy_compares_what_is_there() -> None:
    source, target = await filled(), Target()
    await copy(source, target)
    await target.put(MEDIA[0], b"x" * len(source.body(MEDIA[0])))
    assert (await copy(source, target)).present == 3
    assert (await copy(source, target, full=True)).present == 2
    assert target.body(MEDIA[0]) == source.body(MEDIA[0])


async def test_a_target_of_a_server_is_refused() -> None:
    source, target = await filled(), Target()
    await copy(source, target)
    await forget_copy(target)
    with pytest.raises(TargetInUse, match="choose an empty place"):
        await copy(source, target)
    with pytest.raises(TargetInUse):
        await copy(source, source)


async def test_the_copy_of_another_store_is_refused() -> None:
    source, other, target = await filled(), await filled(), Target()
    await other.put(KEY, StoreIdentity(id="another").model_dump_json().encode())
    await copy(source, target)
    with pytest.raises(TargetInUse, match="of another store"):
        await copy(other, target)


async def test_a_copy_stops_if_a_server_starts_on_the_target() -> None:
    source, target = await filled(), Target()
    target.on_put = lambda key: target.objects.pop(MARK, None) if key == MEDIA[0] else None
    with pytest.raises(TargetInUse, match="was started on the target"):
        await copy(source, target)
    assert not any(key in target.objects for key in RECORDS)


async def test_a_source_that_is_no_store_is_refused() -> None:
    target = Target()
    with pytest.raises(NothingToCopy, match=r"check \[store\] location"):
        await copy(MemoryStore(), target)
    assert target.objects == {}


async def test_an_object_that_is_deleted_meanwhile_is_left_out() -> None:
    source, target = await filled(), Target()
    target.on_put = lambda key: source.objects.pop(TEXTS[0], None)
    copied = await copy(source, target)
    assert TEXTS[0] not in target.objects
    assert copied.objects == 7
