from pathlib import Path

from storage.directory import DirectoryStore
from storage.location import BucketLocation, DirectoryLocation
from storage.open import open_store
from storage.s3 import S3Store
from storage.s3_client import S3Options


async def test_a_directory_location_opens_a_directory_store(tmp_path: Path) -> None:
    store = open_store(DirectoryLocation(tmp_path / "store"), S3Options())
    assert isinstance(store, DirectoryStore)
    await store.put("a", b"1")
    await store.close()
    assert (tmp_path / "store" / "a").read_bytes() == b"1"


async def test_a_bucket_location_opens_an_s3_store() -> None:
    store = open_store(BucketLocation("bucket", "prefix"), S3Options())
    assert isinstance(store, S3Store)
    await store.close()
