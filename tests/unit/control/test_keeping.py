"""What is in use, and who learns of deletions."""

from pathlib import Path

from cluster.memory import MemoryState
from control.keeping import Deletions, broadcasts_in_use, space_of
from storage.audit import AuditLog
from storage.journals import Journals
from storage.keeping import Recording
from storage.keeping.removal import Removed
from storage.location import BucketLocation, DirectoryLocation
from storage.spool import Spool
from telemetry.metrics import Metrics
from tests.lab.memory_store import MemoryStore
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node
from tests.unit.origin.api.live import BROADCAST, status

NOW = 1_795_257_665.0
SPOOLED, JOURNALLED = "20261101t000000z-aaaaaa", "20261102t000000z-bbbbbb"


async def test_what_is_on_air_journalled_or_spooled_is_in_use(tmp_path: Path) -> None:
    cluster = MemoryState().join(node("a"))
    journals, spool = Journals(tmp_path / "journals"), Spool(tmp_path / "media", max_bytes=1000)
    assert await broadcasts_in_use(cluster, journals, spool) == frozenset()
    await cluster.claim("a", BROADCAST, FakeOwner(status("a")))
    await journals.of("b", JOURNALLED).begin(b"line")
    await spool.put(f"live/c/{SPOOLED}/vsource/1.m4s", b"x")
    expected = {("a", BROADCAST), ("b", JOURNALLED), ("c", SPOOLED)}
    assert await broadcasts_in_use(cluster, journals, spool) == expected
    await journals.close()
    await spool.close()


async def test_the_space_is_that_of_a_directorys_disk(tmp_path: Path) -> None:
    space = await space_of(DirectoryLocation(tmp_path))
    assert space is not None and 0 < space.free <= space.capacity
    assert await space_of(DirectoryLocation(tmp_path / "missing")) is None
    assert await space_of(BucketLocation("bucket")) is None


async def test_a_deletion_is_audited_counted_and_forgotten() -> None:
    audit, metrics, forgotten = AuditLog(MemoryStore()), Metrics(), list[str]()
    deletions = Deletions(audit, metrics, lambda: NOW, forgotten.extend)
    recording = Recording("a", SPOOLED, 0.0, 60.0, deleted_for="max-age")
    deletions.recording_deleted(recording, Removed(objects=3, bytes=1000))
    deletions.stream_purged("b", Removed(objects=2, bytes=10))
    deletions.objects_deleted(["live/a/1.m4s"])
    assert forgotten == ["live/a/1.m4s"]
    page = await audit.read(since=0, before=NOW + 1, limit=10)
    assert {entry.action: entry.details for entry in page.entries} == {
        "broadcast-deleted": {"broadcast": SPOOLED, "cause": "max-age", "objects": 3, "bytes": 1000},
        "stream-purged": {"objects": 2, "bytes": 10},
    }
    text = metrics.exposition()[0].decode()
    assert 'headwater_recordings_deleted_total{cause="max-age"} 1.0' in text
    assert "headwater_deleted_objects_total 5.0" in text
    await audit.close()
