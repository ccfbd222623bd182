from pathlib import Path

import pytest

from storage.directory import DirectoryStore
from storage.open import BadLocation, open_store
from storage.s3 import S3Store
from storage.s3_client import S3Options


@pytest.mark.parametrize("location", ["store", "./store", "/var/lib/headwater", "~/store", "a:b"])
async def test_directories(location: str) -> None:
    store = open_store(location, S3Options())
    assert isinstance(store, DirectoryStore)
    await store.close()


async def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    store = open_store("~/store", S3Options(), fsync=False)
    await store.put("a", b"1")
    await store.close()
    assert (tmp_path / "store" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("location", ["s3://bucket", "s3://bucket/", "s3://my.bucket-1/a/b", "S3://bucket/a/"])
async def test_buckets(location: str) -> None:
    store = open_store(location, S3Options())
    assert isinstance(store, S3Store)
    await store.close()


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("", "is no store"),
        ("  ", "is no store"),
        ("a\0b", "is no store"),
        ("s3://", "names no bucket"),
        ("s3:/bucket", "names no bucket"),
        ("s3://Bucket/a", "names no bucket"),
        ("s3://b/a", "names no bucket"),
        ("s3://user@bucket/a", "names no bucket"),
        ("s3://bucket/a//b", "cannot be a prefix"),
        ("s3://bucket/../b", "cannot be a prefix"),
        ("s3://bucket/a?x=1", "cannot be a prefix"),
        ("file:///var/lib/headwater", "without file:"),
        ("https://bucket.s3.amazonaws.com/a", "s3://BUCKET/PREFIX"),
    ],
)
def test_what_names_no_store(location: str, says: str) -> None:
    with pytest.raises(BadLocation, match=says):
        open_store(location, S3Options())
