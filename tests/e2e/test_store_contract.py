"""The contract of :class:`storage.ObjectStore`, tested with every backend."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace

import pytest

from storage import ObjectNotFound, ObjectStore, PreconditionFailed, StoreMisconfigured
from storage.catalogue import Catalogue
from storage.content import IMMUTABLE, SHORT
from storage.directory import DirectoryStore
from storage.identity import KEY as IDENTITY
from storage.object_keys import InvalidKey
from storage.probe import probe
from storage.s3 import S3Store
from storage.s3_client import S3Options
from tests.lab.other_s3 import SERVERS, missing, other_s3
from tests.lab.s3server import running_s3_server

SEGMENT = "live/a/20261121t104105z-ab12cd/v720p/1.m4s"
NO_KEYS = ("", "/a", "a/", "a//b", "../a", "a/../b", ".hidden", "a/.headwater", "a\\b", "a b", "x/" * 300 + "x")

Open = Callable[[], ObjectStore]
# These do not keep Cache-Control, which only viewers need who read the bucket directly.
WITHOUT_CACHE_CONTROL = ("gofakes3",)
# These keep bodies and ETags in different files: a read may return the body of one write and the ETag of the next.
WITHOUT_ATOMIC_READS = ("versitygw",)
# These sort names within a directory, and a directory as its name.
SORTED_BY_DIRECTORY = ("weed",)


def installed(name: str) -> object:
    """A mark, and not a skip in the fixture, because pytest prints one line for many marked tests."""
    reason = missing(name)
    return pytest.param(name, marks=pytest.mark.skip(reason=reason) if reason else ())


@pytest.fixture(scope="module", params=["directory", "s3", *map(installed, SERVERS)])
def opener(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """A function that opens the same store each time."""
    if request.param == "directory":
        root = tmp_path_factory.mktemp("store")
        yield lambda: DirectoryStore(root, fsync=False)
        return
    with ExitStack() as stack:
        started = other_s3(request.param) if request.param in SERVERS else running_s3_server()
        server = stack.enter_context(started)
        bucket = stack.enter_context(server.bucket())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield lambda: S3Store(bucket, "some/prefix", S3Options(endpoint=server.endpoint, region=server.region))


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Callable[[str], str | None]:
    """The Cache-Control that a store returns for what was put."""
    without = request.node.callspec.params["opener"] in WITHOUT_CACHE_CONTROL
    return lambda put: None if without else put


@pytest.fixture
async def store(opener: Open) -> AsyncIterator[ObjectStore]:
    store = opener()
    yield store
    async for found in store.list(""):
        await store.delete(found.key)
    await store.close()


async def put(store: ObjectStore, key: str, body: bytes = b"x", **conditions: object) -> str:
    info = await store.put(key, body, **conditions)  # type: ignore[arg-type]
    return info.etag


async def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [found.key async for found in store.list(prefix)]


async def test_get_returns_what_was_put(store: ObjectStore, kept: Callable[[str], str | None]) -> None:
    made = await store.put(SEGMENT, b"body")
    found = await store.get(SEGMENT)
    assert found.body == b"body"
    assert (found.info.key, found.info.size, found.info.etag) == (SEGMENT, 4, made.etag)
    assert (found.info.content_type, found.info.cache_control) == ("video/iso.segment", kept(IMMUTABLE))
    assert await store.head(SEGMENT) == found.info
    assert (made.key, made.size, made.content_type, made.cache_control) == (
        SEGMENT,
        4,
        "video/iso.segment",
        IMMUTABLE,
    )
    assert abs(made.modified - found.info.modified) < 60
    assert '"' not in made.etag


@pytest.mark.parametrize("size", [0, 1, 6 << 20])
async def test_objects_of_every_size(store: ObjectStore, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    await put(store, SEGMENT, body)
    assert (await store.get(SEGMENT)).body == body
    assert (await store.head(SEGMENT)).size == size


async def test_an_overwrite_changes_the_etag(store: ObjectStore, kept: Callable[[str], str | None]) -> None:
    key = "live/a/master.m3u8"
    first = await put(store, key, b"one")
    second = await put(store, key, b"two")
    found = await store.get(key)
    assert first != second == found.info.etag
    assert (found.body, found.info.cache_control) == (b"two", kept(SHORT))
    assert [info.etag async for info in store.list(key)] == [second]


async def test_a_missing_object_is_not_found(store: ObjectStore) -> None:
    await put(store, "live/a/1.m4s")
    for key in ("live/a/2.m4s", "live/a", "live", "live/a/1.m4s/x", "live/a/1"):
        with pytest.raises(ObjectNotFound):
            await store.get(key)
        with pytest.raises(ObjectNotFound):
            await store.head(key)
        await store.delete(key)
    assert await keys(store) == ["live/a/1.m4s"]


async def test_a_deleted_object_is_not_found(store: ObjectStore) -> None:
    await put(store, SEGMENT)
    await store.delete(SEGMENT)
    with pytest.raises(ObjectNotFound):
        await store.get(SEGMENT)
    assert await keys(store) == []


async def test_many_objects_are_deleted_at_once(store: ObjectStore) -> None:
    names = [f"live/a/20261121t104105z-ab12cd/v720p/{number}.m4s" for number in range(40)]
    for name in names:
        await put(store, name)
    await put(store, "live/a/master.m3u8")
    await store.delete_many([*names[:30], "live/a/missing.m4s", "../a"])
    assert await keys(store) == sorted([*names[30:], "live/a/master.m3u8"])
    await store.delete_many(names)
    await store.delete_many([])
    assert await keys(store) == ["live/a/master.m3u8"]


@pytest.mark.parametrize("key", NO_KEYS)
async def test_an_invalid_key_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidKey):
        await put(store, key)
    with pytest.raises(ObjectNotFound):
        await store.get(key)
    with pytest.raises(ObjectNotFound):
        await store.head(key)
    await store.delete(key)
    assert await keys(store) == []


async def test_if_none_match_creates_only_once(store: ObjectStore) -> None:
    await put(store, "a", b"first", if_none_match=True)
    with pytest.raises(PreconditionFailed):
        await put(store, "a", b"second", if_none_match=True)
    assert (await store.get("a")).body == b"first"


async def test_one_of_many_concurrent_creations_wins(opener: Open, store: ObjectStore) -> None:
    stores = [opener() for _ in range(4)]
    bodies = [b"%d" % number for number in range(16)]
    results = await asyncio.gather(
        *(put(stores[number % 4], "a", body, if_none_match=True) for number, body in enumerate(bodies)),
        return_exceptions=True,
    )
    winners = [body for body, result in zip(bodies, results, strict=True) if isinstance(result, str)]
    assert len(winners) == 1
    assert all(isinstance(result, str | PreconditionFailed) for result in results)
    assert (await store.get("a")).body == winners[0]
    for each in stores:
        await each.close()


async def test_if_match_overwrites_only_the_version_that_was_read(store: ObjectStore) -> None:
    first = await put(store, "a", b"1")
    second = await put(store, "a", b"2", if_match=first)
    with pytest.raises(PreconditionFailed):
        await put(store, "a", b"3", if_match=first)
    assert (await store.get("a")).body == b"2"
    await store.delete("a")
    with pytest.raises(PreconditionFailed):
        await put(store, "a", b"3", if_match=second)
    assert await keys(store) == []


def reads_are_atomic(request: pytest.FixtureRequest) -> bool:
    return request.node.callspec.params["opener"] not in WITHOUT_ATOMIC_READS


async def test_concurrent_counting_with_if_match_loses_nothing(
    opener: Open, store: ObjectStore, request: pytest.FixtureRequest
) -> None:
    if not reads_are_atomic(request):
        pytest.skip("a read of this store may return the body of one write and the ETag of the next")
    await put(store, "counter", b"0")
    stores = [opener() for _ in range(3)]

    async def count(own: ObjectStore) -> None:
        done = 0
        while done < 5:
            found = await own.get("counter")
            try:
                await put(own, "counter", b"%d" % (int(found.body) + 1), if_match=found.info.etag)
                done += 1
            except PreconditionFailed:
                continue

    await asyncio.gather(*(count(own) for own in stores))
    assert (await store.get("counter")).body == b"15"
    for own in stores:
        await own.close()


async def test_a_reader_never_sees_a_partial_object(store: ObjectStore) -> None:
    key, size = "live/a/master.m3u8", 1 << 18
    await put(store, key, b"a" * size)

    async def write() -> None:
        for number in range(20):
            await put(store, key, (b"a", b"b")[number % 2] * size)

    writing = asyncio.create_task(write())
    while not writing.done():
        found = await store.get(key)
        assert len(found.body) == size == found.info.size
        assert found.body.count(found.body[:1]) == size
    await writing


async def test_a_listing_is_sorted(store: ObjectStore, request: pytest.FixtureRequest) -> None:
    made = ["a-b/c", "a.b", "a/b", "a/b.c/d", "a0", "b/1.m4s", "b/10.m4s", "b/2.m4s", "c/d/e/f", "A/b"]
    for key in made:
        await put(store, key, key.encode())
    by_directory = request.node.callspec.params["opener"] in SORTED_BY_DIRECTORY
    assert await keys(store) == sorted(made, key=(lambda key: key.split("/")) if by_directory else None)
    assert await keys(store, "a/") == ["a/b", "a/b.c/d"]
    assert await keys(store, "b/1") == ["b/1.m4s", "b/10.m4s"]
    assert await keys(store, "b/2.m4s") == ["b/2.m4s"]
    assert await keys(store, "nothing/") == []
    assert await keys(store, "../") == []
    listed = [info async for info in store.list("b/1.")]
    assert listed == [replace(await store.head("b/1.m4s"), cache_control=IMMUTABLE)]


async def test_a_long_listing_comes_in_pages(store: ObjectStore) -> None:
    made = [f"live/a/{number:04d}.m4s" for number in range(1005)]
    gate = asyncio.Semaphore(8)

    async def make(key: str) -> None:
        async with gate:
            await put(store, key)

    async with asyncio.TaskGroup() as group:
        for key in made:
            group.create_task(make(key))
    assert await keys(store) == made
    seen = 0
    async for _ in store.list("live/"):
        seen += 1
        if seen == 3:
            break
    assert seen == 3


async def test_check_leaves_only_the_identity_behind(store: ObjectStore) -> None:
    for _ in range(2):
        await store.check()
        assert await keys(store) == [IDENTITY]


async def test_all_servers_of_a_store_agree_on_its_identity(opener: Open, store: ObjectStore) -> None:
    stores = [opener() for _ in range(4)]
    identities = await asyncio.gather(*(each.identify() for each in stores))
    assert len(set(identities)) == 1
    await store.delete(IDENTITY)
    again = await asyncio.gather(*(each.identify() for each in stores))
    assert len({*identities, *again}) == 2
    for each in stores:
        await each.close()


async def test_a_store_that_ignores_conditions_is_refused(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_put: Callable[..., Awaitable[object]] = store.put

    def ignoring(*names: str) -> Callable[..., Awaitable[object]]:
        async def put_without_conditions(key: str, body: bytes, **how: object) -> object:
            return await real_put(key, body, **{name: value for name, value in how.items() if name not in names})

        return put_without_conditions

    for name, header in (("if_none_match", "If-None-Match"), ("if_match", "If-Match")):
        monkeypatch.setattr(store, "put", ignoring(name))
        with pytest.raises(StoreMisconfigured, match=f"ignores {header}"):
            await probe(store)
    assert await keys(store) == []


async def test_the_catalogue_works_with_the_store(
    opener: Open, store: ObjectStore, request: pytest.FixtureRequest
) -> None:
    async with AsyncExitStack() as stack:
        other = opener()
        stack.push_async_callback(other.close)
        here, there = Catalogue(store), Catalogue(other)
        record, key = await here.create_stream("studio-a", now=1.0)
        assert await there.find_by_key(key) == record
        ban, rotation = here.ban("studio-a", 60.0), there.rotate_key("studio-a", now=60.0)
        if reads_are_atomic(request):
            await asyncio.gather(ban, rotation)
        else:
            await ban
            await rotation
        updated = await there.get_stream("studio-a")
        assert updated.banned_until == 60.0
        assert len(updated.key_hashes) == 1 and updated.key_hashes != record.key_hashes
        assert await there.find_by_key(key) is None
        assert await there.list_streams() == [updated]
        await there.delete_stream("studio-a")
        assert await keys(store) == []
