import asyncio
import errno
import fcntl
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from storage import ObjectNotFound, PreconditionFailed, StoreMisconfigured, StoreUnavailable
from storage.directory import DirectoryStore
from storage.identity import KEY as IDENTITY
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
    assert [found.key async for found in store.list("")] == ["a", IDENTITY]
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
        (errno.EIO, StoreUnavailable, "the disk fails"),
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


async def test_only_the_owner_may_read_the_catalogue(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    await store.put("catalogue/secrets/playback.json", b"{}")
    await store.put("catalogue/keys/a.json", b"{}", if_none_match=True)
    await store.put("live/studio/b/master.m3u8", b"#EXTM3U")
    await store.close()
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert {modes[name] for name in ("catalogue", "catalogue/secrets", "catalogue/keys")} == {0o700}
    assert {modes[name] for name in ("catalogue/secrets/playback.json", "catalogue/keys/a.json")} == {0o600}
    assert modes["live/studio/b/master.m3u8"] & 0o044


async def test_the_catalogue_of_an_earlier_version_is_taken_from_other_users(tmp_path: Path) -> None:
    secret = tmp_path / "catalogue" / "secrets" / "playback.json"
    secret.parent.mkdir(parents=True)
    secret.write_text("{}")
    for path in (secret, secret.parent, secret.parent.parent):
        path.chmod(0o755)
    store = DirectoryStore(tmp_path)
    await store.check()
    await store.close()
    modes = [path.stat().st_mode & 0o777 for path in (secret, secret.parent, secret.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


async def test_reads_that_hang_do_not_delay_writes(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, threads=2)
    await store.check()
    release = threading.Event()
    reads = [asyncio.create_task(store._readers.run(release.wait)) for _ in range(20)]
    try:
        async with asyncio.timeout(5):
            await store.put("live/a/1.m4s", b"x")
            await store.put("catalogue/a.json", b"x", if_none_match=True)
    finally:
        release.set()
        await asyncio.gather(*reads)
        await store.close()


async def test_the_modes_of_the_catalogue_are_corrected_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every probe checks the store; reading all names of a large catalogue each time would cost too much."""
    walks: list[str] = []

    def walk(path: Path) -> tuple[()]:
        walks.append(path.name)
        return ()

    monkeypatch.setattr("storage.directory.os.walk", walk)
    store = DirectoryStore(tmp_path)
    for _ in range(3):
        await store.check()
    await store.close()
    assert walks == ["catalogue"]


def lacking(number: int) -> Callable[..., None]:
    """A call that the file system lacks."""

    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize(
    ("module", "call", "number"),
    [
        (fcntl, "flock", errno.ENOLCK),
        (fcntl, "flock", errno.EOPNOTSUPP),
        (os, "fsync", errno.EINVAL),
        (os, "fsync", errno.ENOSYS),
        (os, "utime", errno.EPERM),
        (os, "utime", errno.ENOSYS),
    ],
)
async def test_a_file_system_may_lack_a_call(
    root: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, call: str, number: int
) -> None:
    monkeypatch.setattr(module, call, lacking(number))
    store = DirectoryStore(root, fsync=True)
    with capture_logs() as logs:
        await store.check()
        for body in (b"1", b"22"):
            await store.put("live/a", body)
        found = await store.get("live/a")
        await store.put("live/a", b"333", if_match=found.info.etag)
        with pytest.raises(PreconditionFailed):
            await store.put("live/a", b"4444", if_match=found.info.etag)
    await store.close()
    assert [entry["call"] for entry in logs if "lacks" in entry["event"]] == [call]


async def test_without_locks_the_threads_of_one_store_exclude_each_other(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", lacking(errno.ENOSYS))
    store = DirectoryStore(root, threads=4)
    results = await asyncio.gather(
        *(store.put("a", b"%d" % number, if_none_match=True) for number in range(32)), return_exceptions=True
    )
    await store.close()
    assert sum(not isinstance(result, PreconditionFailed) for result in results) == 1


async def test_locks_that_worked_are_required(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes rely on them."""
    store = DirectoryStore(root)
    await store.put("a", b"1", if_none_match=True)
    monkeypatch.setattr(fcntl, "flock", lacking(errno.ENOLCK))
    with pytest.raises(StoreUnavailable, match="no locks at the moment"):
        await store.put("b", b"1", if_none_match=True)
    await store.close()


@pytest.mark.parametrize("resolution_ns", [100, 1_000_000_000, 2_000_000_000])
async def test_changes_within_the_resolution_of_times_have_their_own_etags(
    root: Path, monkeypatch: pytest.MonkeyPatch, resolution_ns: int
) -> None:
    real = os.utime

    def utime(file: int | str, *, ns: tuple[int, int]) -> None:
        real(file, ns=(ns[0] // resolution_ns * resolution_ns, ns[1] // resolution_ns * resolution_ns))

    monkeypatch.setattr(os, "utime", utime)
    store = DirectoryStore(root)
    etags = [(await store.put("a", b"0", if_none_match=True)).etag]
    for number in range(1, 5):
        etags.append((await store.put("a", b"%d" % number, if_match=etags[-1])).etag)
        assert (await store.head("a")).etag == etags[-1]
    await store.close()
    assert len(set(etags)) == 5


async def test_a_directory_that_vanishes_is_not_made_again(store: DirectoryStore, root: Path) -> None:
    await store.check()
    await store.put("live/a/1.m4s", b"x")
    kept = root.rename(root.with_name("elsewhere"))
    for key in ("live/a/2.m4s", "live/b/1.m4s", "catalogue/a.json"):
        with pytest.raises(StoreUnavailable, match="is its disk mounted"):
            await store.put(key, b"x")
    with pytest.raises(StoreUnavailable, match="mount its disk"):
        await store.check()
    assert not root.exists()
    kept.rename(root)
    await store.check()
    await store.put("live/a/2.m4s", b"x")
    assert files(root) == [IDENTITY, "live/a/1.m4s", "live/a/2.m4s"]


async def test_an_empty_mount_point_is_not_the_store(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.check()
    identity = await store.identify()
    kept = root.rename(root.with_name("elsewhere"))
    root.mkdir()
    monkeypatch.setattr(store._mark, "_device", -1)
    with pytest.raises(StoreUnavailable, match="is its disk mounted"):
        await store.put("live/a/2.m4s", b"x", if_none_match=True)
    with pytest.raises(StoreUnavailable, match="is its disk mounted"):
        await store.check()
    assert os.listdir(root) == []
    root.rmdir()
    kept.rename(root)
    assert await store.identify() == identity


@pytest.mark.parametrize("emptied", [True, False])
async def test_a_store_made_again_has_another_identity(store: DirectoryStore, root: Path, emptied: bool) -> None:
    await store.check()
    identity = await store.identify()
    for path in root.iterdir() if emptied else (root,):
        if emptied and path.name == ".headwater":
            continue
        shutil.rmtree(path)
    root.mkdir(exist_ok=True)
    with pytest.raises(StoreUnavailable, match="is its disk mounted"):
        await store.put("live/a/2.m4s", b"x")
    assert await store.identify() not in ("", identity)
    await store.put("live/a/2.m4s", b"x")
