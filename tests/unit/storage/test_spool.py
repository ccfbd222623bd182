"""Media in files that survive a restart."""

from pathlib import Path

import pytest

from storage.interface import ObjectNotFound, StoreMisconfigured
from storage.spool import Spool

KEY = "live/studio/20261121t104105z-abc123/vsource/1.m4s"


async def opened(root: Path, max_bytes: int = 100) -> Spool:
    spool = Spool(root, max_bytes=max_bytes)
    await spool.open()
    return spool


async def test_a_later_process_finds_what_was_put(tmp_path: Path) -> None:
    first = await opened(tmp_path / "spool")
    await first.put(KEY, b"media")
    await first.close()
    second = await opened(tmp_path / "spool")
    assert KEY in second
    assert (second.keys(), second.used) == ([KEY], 5)
    assert await second.get(KEY) == b"media"
    await second.close()


async def test_a_deleted_object_leaves_no_directories(tmp_path: Path) -> None:
    spool = await opened(tmp_path)
    await spool.put(KEY, b"media")
    await spool.delete(KEY)
    await spool.delete(KEY)
    assert (KEY in spool, spool.used, list(tmp_path.iterdir())) == (False, 0, [])
    with pytest.raises(ObjectNotFound):
        await spool.get(KEY)
    await spool.close()


async def test_room_is_what_its_size_leaves(tmp_path: Path) -> None:
    spool = await opened(tmp_path)
    await spool.put(KEY, b"x" * 60)
    await spool.put(KEY, b"x" * 70)
    assert spool.used == 70
    assert spool.has_room(30)
    assert not spool.has_room(31)
    await spool.close()


async def test_a_failed_put_takes_no_room(tmp_path: Path) -> None:
    spool = await opened(tmp_path / "spool")
    (tmp_path / "spool" / "live").write_text("a file")
    with pytest.raises(StoreMisconfigured, match="move it away"):
        await spool.put(KEY, b"media")
    assert (KEY in spool, spool.used) == (False, 0)
    await spool.close()


async def test_what_a_process_was_writing_when_it_died_is_removed(tmp_path: Path) -> None:
    unfinished = tmp_path / "live" / ".1.m4s.0123abcd"
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"half")
    spool = await opened(tmp_path)
    assert (spool.keys(), unfinished.exists()) == ([], False)
    await spool.close()


async def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    spool = await opened(tmp_path / "spool")
    await spool.put(KEY, b"media")
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert (tmp_path / "spool" / KEY).stat().st_mode & 0o077 == 0
    await spool.close()
