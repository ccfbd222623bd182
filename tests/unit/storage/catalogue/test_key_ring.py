"""Named keys: their limits, rotation, revocation and last use."""

import json

import pytest

from media.roles import Role
from storage.catalogue import Catalogue, StreamNotFound
from storage.catalogue.key_ring import LAST_USE_S, BadKey, KeyExists, KeyNotFound, TooManyKeys
from storage.catalogue.named_keys import EXPIRES_SOON_S, NamedKey
from storage.catalogue.records import MAX_NAMED_KEYS, StreamRecord
from storage.interface import ObjectInfo, PreconditionFailed, StoreUnavailable
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle

NOW = 1_795_257_665.0
DAY = 86_400.0


async def a_stream(store: MemoryStore | None = None) -> Catalogue:
    catalogue = Catalogue(store or MemoryStore())
    await catalogue.create_stream("a", now=NOW)
    return catalogue


def key_objects(store: MemoryStore) -> list[str]:
    return [key for key in store.objects if key.startswith("catalogue/keys/")]


async def test_a_named_key_publishes_with_its_limits_beside_the_primarys() -> None:
    store = MemoryStore()
    catalogue = await a_stream(store)
    made, key = await catalogue.keys.create(
        "a", "guest", now=NOW, role=Role.BACKUP, expires_at=NOW + DAY, networks=("203.0.113.0/24",)
    )
    for reader in (catalogue, Catalogue(store)):
        publisher = await reader.find_publisher(key)
        assert publisher is not None and publisher.key == made
        assert (publisher.role, publisher.key.name, publisher.key.expires_at) == (Role.BACKUP, "guest", NOW + DAY)
    assert [key.name for key in (await catalogue.get_stream("a")).keys] == ["primary", "guest"]
    assert key not in str(store.objects)


async def test_a_new_record_can_be_read_by_an_older_headwater_and_the_other_way_round() -> None:
    catalogue = await a_stream()
    await catalogue.keys.create("a", "guest", now=NOW)
    await catalogue.keys.create("a", "backup", now=NOW + 1)
    stored = json.loads((await catalogue.get_stream("a")).model_dump_json())
    assert len(stored["key_hashes"]) == 1 and stored["backup_key_created_at"] == NOW + 1
    del stored["named_keys"], stored["ban_reason"]
    assert [key.name for key in StreamRecord.model_validate(stored).keys] == ["primary", "backup"]


async def test_a_rotated_key_keeps_its_limits() -> None:
    store = MemoryStore()
    catalogue = await a_stream(store)
    _, old = await catalogue.keys.create("a", "guest", now=NOW, expires_at=NOW + DAY, networks=("::1",))
    made, new = await catalogue.keys.rotate("a", "guest", now=NOW + 60)
    assert await catalogue.find_publisher(old) is None
    assert await catalogue.find_publisher(new) is not None
    assert (made.created_at, made.expires_at, made.networks) == (NOW + 60, NOW + DAY, ("::1",))
    assert len(key_objects(store)) == 2
    with pytest.raises(BadKey, match="the key guest has expired"):
        await catalogue.keys.rotate("a", "guest", now=NOW + DAY)
    made, _ = await catalogue.keys.rotate("a", "guest", now=NOW + DAY, expires_at=NOW + 2 * DAY)
    assert made.expires_at == NOW + 2 * DAY
    assert len(key_objects(store)) == 2


@pytest.mark.parametrize("name", ["primary", "backup", "guest"])
async def test_a_revoked_key_is_refused_at_once_and_its_name_is_free(name: str) -> None:
    store = MemoryStore()
    catalogue = await a_stream(store)
    if name == "primary":
        await catalogue.keys.revoke("a", "primary")
    made, key = await catalogue.keys.create("a", name, now=NOW)
    assert await catalogue.keys.revoke("a", name) == made
    assert await catalogue.find_publisher(key) is None
    assert name not in [key.name for key in (await Catalogue(store).get_stream("a")).keys]
    with pytest.raises(KeyNotFound, match=f"a has no key {name}"):
        await catalogue.keys.revoke("a", name)
    _, again = await catalogue.keys.create("a", name, now=NOW)
    assert await catalogue.find_publisher(again) is not None


async def test_a_refused_key_leaves_no_object() -> None:
    store = MemoryStore()
    catalogue = await a_stream(store)
    await catalogue.keys.create("a", "guest", now=NOW)
    count = len(key_objects(store))
    with pytest.raises(KeyExists, match="a has a key guest already"):
        await catalogue.keys.create("a", "guest", now=NOW)
    with pytest.raises(KeyExists):
        await catalogue.keys.create("a", "primary", now=NOW)
    with pytest.raises(StreamNotFound):
        await catalogue.keys.create("b", "guest", now=NOW)
    with pytest.raises(KeyNotFound):
        await catalogue.keys.rotate("a", "nobody", now=NOW)
    with pytest.raises(BadKey, match="cannot be a key's name"):
        await catalogue.keys.create("a", "Guest!", now=NOW)
    with pytest.raises(BadKey, match="in the past"):
        await catalogue.keys.create("a", "late", now=NOW, expires_at=NOW)
    with pytest.raises(BadKey, match="the key backup has no expiry"):
        await catalogue.keys.create("a", "backup", now=NOW, networks=("::1",))
    with pytest.raises(BadKey, match="the key primary has no expiry"):
        await catalogue.keys.rotate("a", "primary", now=NOW, expires_at=NOW + DAY)
    assert len(key_objects(store)) == count


async def test_the_number_of_keys_is_bounded() -> None:
    catalogue = await a_stream()
    for number in range(MAX_NAMED_KEYS):
        await catalogue.keys.create("a", f"k{number}", now=NOW)
    with pytest.raises(TooManyKeys, match="a has 50 keys"):
        await catalogue.keys.create("a", "one-more", now=NOW)
    await catalogue.keys.create("a", "backup", now=NOW)


async def test_a_deleted_stream_leaves_no_key() -> None:
    store = MemoryStore()
    catalogue = await a_stream(store)
    _, key = await catalogue.keys.create("a", "guest", now=NOW)
    await catalogue.delete_stream("a")
    assert store.objects == {} and await catalogue.find_publisher(key) is None


async def test_the_last_use_is_stored_once_a_minute() -> None:
    store = MemoryStore()
    catalogue = await a_stream(store)
    guest, _ = await catalogue.keys.create("a", "guest", now=NOW)
    for seconds, address in ((0, "203.0.113.7"), (LAST_USE_S - 1, "203.0.113.8")):
        catalogue.keys.note_use(guest, address, now=NOW + seconds)
    await run_until_idle()
    uses = await catalogue.keys.uses(await catalogue.get_stream("a"))
    assert (uses["guest"].last_used_at, uses["guest"].last_used_from) == (NOW, "203.0.113.7")
    assert uses["primary"].last_used_at is None
    catalogue.keys.note_use(guest, "203.0.113.9", now=NOW + LAST_USE_S)
    await run_until_idle()
    uses = await catalogue.keys.uses(await catalogue.get_stream("a"))
    assert uses["guest"].last_used_from == "203.0.113.9"


async def test_a_use_of_a_revoked_key_or_of_a_store_that_fails_is_not_stored() -> None:
    store = MemoryStore()
    catalogue = await a_stream(store)
    guest, _ = await catalogue.keys.create("a", "guest", now=NOW)
    await catalogue.keys.revoke("a", "guest")
    catalogue.keys.note_use(guest, "203.0.113.7", now=NOW)
    await run_until_idle()
    assert len(key_objects(store)) == 1
    store.failing = StoreUnavailable("connection refused")
    catalogue.keys.note_use((await catalogue.find_stream("a")).keys[0], "203.0.113.7", now=NOW)
    await run_until_idle()


async def test_a_change_whose_answer_was_lost_is_not_made_twice() -> None:
    class Repeating(MemoryStore):
        """Stores the next record of the stream, but answers like a store that has it already."""

        loses = False

        async def put(self, key: str, body: bytes, **how: object) -> ObjectInfo:
            info = await super().put(key, body, **how)  # type: ignore[arg-type]
            if self.loses and key == "catalogue/streams/a.json":
                self.loses = False
                raise PreconditionFailed("the retry met the first try")
            return info

    store = Repeating()
    catalogue = await a_stream(store)
    store.loses = True
    _, old = await catalogue.keys.create("a", "guest", now=NOW)
    store.loses = True
    guest, new = await catalogue.keys.rotate("a", "guest", now=NOW)
    assert await catalogue.find_publisher(old) is None and await catalogue.find_publisher(new) is not None
    assert len(key_objects(store)) == 2
    store.loses = True
    assert await catalogue.keys.revoke("a", "guest") == guest
    assert len(key_objects(store)) == 1 and await catalogue.find_publisher(new) is None


def test_expiry_and_networks() -> None:
    key = NamedKey(
        name="a", key_hash="00", created_at=0, expires_at=NOW, networks=("192.0.2.0/24", "2001:db8::/32")
    )
    assert key.is_expired(NOW) and not key.is_expired(NOW - 1)
    assert key.expires_soon(NOW - 1) and key.expires_soon(NOW - EXPIRES_SOON_S)
    assert not key.expires_soon(NOW) and not key.expires_soon(NOW - EXPIRES_SOON_S - 1)
    assert all(map(key.admits, ("192.0.2.9", "2001:db8::7", "::ffff:192.0.2.9")))
    assert not any(map(key.admits, ("198.51.100.1", "2001:db9::7", "")))
    unlimited = NamedKey(name="a", key_hash="00", created_at=None)
    assert unlimited.admits("198.51.100.1") and not unlimited.is_expired(NOW)
