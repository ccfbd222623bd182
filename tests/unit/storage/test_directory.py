import asyncio
import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import ObjectNotFound, StoreMisconfigured, StoreUnavailable
from storage.directory import DirectoryStore
from storage.object_keys import InvalidKey


@pytest.fixture
async def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store", fsync=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def files(root: Path) -> list[str]:
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and ".headwater" not in path.parts
    )


def temporaries(root: Path) -> list[Path]:
    return list((root / ".headwater" / "tmp").iterdir())


async def test_an_object_is_a_world_readable_file(store: DirectoryStore, root: Path) -> None:
    mask = os.umask(0o022)
    try:
        await store.put("live/a/1.m4s", b"body")
    finally:
        os.umask(mask)
    assert (root / "live/a/1.m4s").read_bytes() == b"body"
    assert (root / "live/a/1.m4s").stat().st_mode & 0o777 == 0o644
    assert files(root) == ["live/a/1.m4s"]
    assert temporaries(root) == []


async def test_type_and_caching_follow_from_the_key(store: DirectoryStore, root: Path) -> None:
    (root / "live").mkdir(parents=True)
    (root / "live/1.m4s").write_bytes(b"put there by hand")
    info = await store.head("live/1.m4s")
    assert (info.content_type, info.cache_control) == ("video/iso.segment", "public, max-age=31536000, immutable")
    assert info.size == 17


@settings(max_examples=150)
@given(st.text(st.sampled_from("ab./\\~\0é"), max_size=10))
def test_no_key_leads_outside_the_root(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    base = tmp_path_factory.mktemp("outer", numbered=True)
    outside = base / "a"
    outside.write_bytes(b"secret")

    async def play() -> None:
        store = DirectoryStore(base / "b" / "store", fsync=False, threads=1)
        try:
            with pytest.raises(ObjectNotFound):
                await store.get(key)
            await store.delete(key)
            assert [found async for found in store.list(key)] == []
            await store.put(key, b"mine")
            assert (await store.get(key)).body == b"mine"
        except InvalidKey:
            pass
        finally:
            await store.close()

    asyncio.run(play())
    assert outside.read_bytes() == b"secret"
    assert sorted(os.listdir(base)) in (["a"], ["a", "b"])
    assert not (base / "b").exists() or os.listdir(base / "b") == ["store"]


async def test_internal_files_are_not_objects(store: DirectoryStore) -> None:
    await store.check()
    await store.put("a", b"x")
    assert [found.key async for found in store.list("")] == ["a"]
    with pytest.raises(ObjectNotFound):
        await store.get(".headwater/locks/00")


async def test_every_put_has_its_own_etag(store: DirectoryStore) -> None:
    etags = [(await store.put("a", b"same")).etag for _ in range(50)]
    assert len(set(etags)) == 50
    assert (await store.head("a")).etag == etags[-1]


async def test_an_etag_survives_copying_the_store(store: DirectoryStore, root: Path, tmp_path: Path) -> None:
    etag = (await store.put("live/a", b"body")).etag
    shutil.copytree(root, tmp_path / "copy")
    assert (await DirectoryStore(tmp_path / "copy").head("live/a")).etag == etag


async def test_delete_leaves_no_empty_directories(store: DirectoryStore, root: Path) -> None:
    await store.put("live/a/b/1.m4s", b"x")
    await store.put("live/a/2.m4s", b"x")
    await store.delete("live/a/b/1.m4s")
    assert not (root / "live/a/b").exists()
    assert (root / "live/a/2.m4s").exists()
    await store.delete("live/a/2.m4s")
    assert not (root / "live").exists()
    assert root.exists()


async def test_puts_and_deletes_of_neighbours_do_not_conflict(store: DirectoryStore) -> None:
    """A delete may remove the emptied directory just before a put renames its file into it."""

    async def churn(name: str) -> None:
        for _ in range(100):
            await store.put(f"live/a/{name}", b"x")
            await store.delete(f"live/a/{name}")

    await asyncio.gather(*(churn(f"{number}.m4s") for number in range(4)))
    assert [found async for found in store.list("")] == []


async def test_old_temporary_files_are_removed(store: DirectoryStore, root: Path) -> None:
    await store.check()
    old, new = (root / ".headwater/tmp" / name for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1.0, 1.0))
    await store.check()
    assert temporaries(root) == [new]


async def test_a_directory_is_not_an_object(store: DirectoryStore) -> None:
    await store.put("live/a/1.m4s", b"x")
    for verb in (store.get, store.head):
        with pytest.raises(ObjectNotFound):
            await verb("live/a")
    await store.delete("live/a")
    assert [found.key async for found in store.list("live/a/1.m4s/")] == []
    with pytest.raises(ObjectNotFound):
        await store.get("live/a/1.m4s/x")
    with pytest.raises(StoreMisconfigured, match="a directory is where a file is needed"):
        await store.put("live/a", b"x")
    with pytest.raises(StoreMisconfigured, match="a file is where a directory is needed"):
        await store.put("live/a/1.m4s/x", b"x")


async def test_a_file_in_place_of_the_root_is_misconfigured(root: Path) -> None:
    root.write_bytes(b"x")
    store = DirectoryStore(root, fsync=False)
    with pytest.raises(StoreMisconfigured, match="store"):
        await store.check()
    with pytest.raises(ObjectNotFound):
        await store.get("a")


@pytest.mark.parametrize(
    ("number", "kind", "message"),
    [
        (errno.ENOSPC, StoreUnavailable, "the disk is full"),
        (errno.EDQUOT, StoreUnavailable, "quota"),
        (errno.EIO, StoreUnavailable, "Input/output error"),
        (errno.EACCES, StoreMisconfigured, "give the user that runs Headwater"),
        (errno.EROFS, StoreMisconfigured, "read-only"),
    ],
)
async def test_a_failing_disk_leaves_the_old_object(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], message: str
) -> None:
    store = DirectoryStore(root, fsync=True)
    await store.put("a", b"old")

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=message):
        await store.put("a", b"new")
    assert (await store.get("a")).body == b"old"
    assert temporaries(root) == []


async def test_fsync_covers_the_file_and_its_new_directories(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def record_fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}").removeprefix(str(root.parent)))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", record_fsync)
    await DirectoryStore(root, fsync=True).put("live/a/1", b"x")
    assert synced[0].startswith("/store/.headwater/tmp/")
    assert synced[1:] == ["/store", "/store/live", "/store/live/a"]
    synced.clear()
    await DirectoryStore(root, fsync=False).put("live/b/1", b"x")
    assert synced == []


async def test_a_listing_spans_batches_in_the_order_of_keys(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.directory.LIST_BATCH", 3)
    keys = ["a", "a-b/c", "a.b", "a/b", "a/b.c/d", "a0", "b/1.m4s", "b/10.m4s", "b/2.m4s", "c/d/e/f"]
    keys.remove("a")
    for key in reversed(keys):
        await store.put(key, b"x")
    assert [found.key async for found in store.list("")] == sorted(keys)
    assert [found.key async for found in store.list("b/1")] == ["b/1.m4s", "b/10.m4s"]
    assert [found.key async for found in store.list("c/d/")] == ["c/d/e/f"]


async def test_a_listing_continues_if_objects_are_deleted(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.directory.LIST_BATCH", 1)
    for key in ("a/1", "a/2", "b/1", "c"):
        await store.put(key, b"x")
    listed = []
    async for found in store.list(""):
        listed.append(found.key)
        await store.delete("a/2")
        await store.delete("b/1")
    assert listed == ["a/1", "c"]
