from pathlib import Path

import pytest

from storage.location import BadLocation, BucketLocation, DirectoryLocation, StoreLocation, parse_location


@pytest.mark.parametrize("text", ["store", "./store/", "/var/lib/headwater", "a:b"])
def test_directories(text: str) -> None:
    assert parse_location(text) == DirectoryLocation(Path(text))


def test_a_tilde_is_expanded_to_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    assert parse_location("~/store") == DirectoryLocation(Path("/home/operator/store"))


@pytest.mark.parametrize(
    ("text", "location", "canonical"),
    [
        ("s3://bucket", BucketLocation("bucket"), "s3://bucket"),
        ("s3://bucket/", BucketLocation("bucket"), "s3://bucket"),
        ("s3://my.bucket-1/a/b", BucketLocation("my.bucket-1", "a/b"), "s3://my.bucket-1/a/b"),
        ("S3://bucket/a/", BucketLocation("bucket", "a"), "s3://bucket/a"),
    ],
)
def test_buckets(text: str, location: StoreLocation, canonical: str) -> None:
    assert parse_location(text) == location
    assert str(location) == canonical


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a store"),
        ("  ", "is not a store"),
        ("a\0b", "is not a store"),
        ("s3://", "names no bucket"),
        ("s3:/bucket", "names no bucket"),
        ("s3://Bucket/a", "names no bucket"),
        ("s3://b/a", "names no bucket"),
        ("s3://user@bucket/a", "names no bucket"),
        ("s3://bucket/a//b", "cannot be a prefix"),
        ("s3://bucket/../b", "cannot be a prefix"),
        ("s3://bucket/a?x=1", "cannot be a prefix"),
        ("file:///var/lib/headwater", 'without "file:"'),
        ("https://bucket.s3.amazonaws.com/a", "s3://BUCKET/PREFIX"),
    ],
)
def test_an_invalid_location_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadLocation, match=reason):
        parse_location(text)
