"""Lifecycle rules of buckets: with the S3 server of the tests, and with servers that have none."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from storage import StoreMisconfigured
from storage.catalogue import Catalogue
from storage.catalogue.records import BroadcastRecord
from storage.s3 import S3Store
from storage.s3_client import S3Options
from storage.s3_lifecycle import MARGIN_DAYS, wanted_rules
from tests.lab.odd_s3 import BUCKET, LISTING, Answer, error, odd_s3
from tests.lab.s3server import S3Server, running_s3_server
from tests.lab.server import HEADWATER

DAY = 86_400
UPLOADS = "tv/: incomplete multipart uploads are removed after 1 day"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with running_s3_server() as server:
        yield server


@pytest.fixture
def bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    with server.bucket() as bucket:
        yield bucket


def opened(server: S3Server, bucket: str) -> S3Store:
    return S3Store(bucket, "tv", S3Options(endpoint=server.endpoint, region=server.region))


def run(server: S3Server, bucket: str, *arguments: str, config: Path) -> subprocess.CompletedProcess[str]:
    place = ("--store", f"s3://{bucket}/tv", "--s3-endpoint", server.endpoint, "--config", str(config))
    command = [*HEADWATER, "store", "lifecycle", *place, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ})


def test_rules_are_set_beside_those_of_others(server: S3Server, bucket: str, tmp_path: Path) -> None:
    config = tmp_path / "headwater.toml"
    config.write_text('[retention]\nmax_age = "30d"\n')
    client = boto3.client("s3", endpoint_url=server.endpoint, region_name=server.region)
    theirs = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}}
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [theirs]})  # type: ignore[list-item]
    shown = run(server, bucket, config=config)
    assert shown.returncode == 0, shown.stderr
    assert UPLOADS in shown.stdout
    assert "The bucket lacks some of these rules (--apply), and 1 that Headwater did not set." in shown.stdout
    for _ in range(2):
        done = run(server, bucket, "--apply", "--expire", "--json", config=config)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["others"] == 1
        # MinIO removes incomplete uploads by itself, and has no rule for it.
        assert answer["missing"] in ([], [UPLOADS])
        uploads = [] if answer["missing"] else ["headwater-tv-uploads"]
        assert f"tv/live/: deleted {30 + MARGIN_DAYS} days after the upload" in answer["rules"]
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert sorted(rule["ID"] for rule in rules) == [
        "headwater-tv-events",
        "headwater-tv-media",
        *uploads,
        "logs",
    ]
    # Without --expire, media does not expire any more.
    assert run(server, bucket, "--apply", config=config).returncode == 0
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert sorted(rule["ID"] for rule in rules) == [*uploads, "logs"]


def test_media_does_not_expire_if_recordings_are_kept(server: S3Server, bucket: str, tmp_path: Path) -> None:
    async def keep() -> None:
        store = opened(server, bucket)
        record = BroadcastRecord(stream="a", broadcast="20261101t000000z-aaaaaa", started_at=0.0, kept=True)
        await store.put("catalogue/broadcasts/a/20261101t000000z-aaaaaa.json", record.model_dump_json().encode())
        await Catalogue(store).close()
        await store.close()

    asyncio.run(keep())
    config = tmp_path / "headwater.toml"
    config.write_text('[retention]\nmax_age = "30d"\n')
    refused = run(server, bucket, "--apply", "--expire", config=config)
    assert (refused.returncode, "20261101t000000z-aaaaaa" in refused.stderr) == (1, True)
    config.write_text("")
    assert "needs a [retention] max_age" in run(server, bucket, "--expire", config=config).stderr


def test_a_directory_has_no_rules(tmp_path: Path) -> None:
    command = [*HEADWATER, "store", "lifecycle", "--data", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, "is a directory" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(501, "NotImplemented", "not implemented"), "has no lifecycle rules"),
        (Answer(405), "has no lifecycle rules"),
        (error(403, "AccessDenied", "Access Denied"), "allow s3:GetLifecycleConfiguration"),
    ],
)
async def test_a_server_without_rules_is_explained(
    answer: Answer, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    # Its stand-in takes every request for the bucket as a listing.
    with odd_s3(lambda operation, perform: answer if operation == LISTING else perform()) as odd:
        store = S3Store(BUCKET, "", S3Options(endpoint=odd.account.endpoint))
        with pytest.raises(StoreMisconfigured, match=words):
            await store.lifecycle(None)
        await store.close()


def test_each_prefix_has_rules_of_its_own() -> None:
    ids = [rule["ID"] for rule in (*wanted_rules("", 1.0), *wanted_rules("a/b/", 1.0))]
    assert len(set(ids)) == 6
    assert [rule["Expiration"]["Days"] for rule in wanted_rules("", 1.5 * DAY)[1:]] == [2 + MARGIN_DAYS] * 2
