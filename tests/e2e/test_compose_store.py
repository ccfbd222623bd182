"""The store of docker/compose.yaml: a real MinIO, in which Headwater is a user who can use its own bucket only."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import pytest
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, S3Error

from tests.lab import minio_client
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.minio import MISSING, MinioServer, found_program, minio
from tests.lab.s3_account import S3Account
from tests.lab.server import serving
from tests.lab.waiting import until

SCRIPT = Path(__file__).parents[2] / "docker" / "make_store.sh"
BUCKET, USER, OTHER = "headwater", "headwater", "accounts"

pytestmark = [
    pytest.mark.skipif(found_program() is None, reason=MISSING),
    pytest.mark.skipif(minio_client.found_client() is None, reason=minio_client.MISSING),
]


@dataclass(frozen=True, slots=True)
class Store:
    server: MinioServer
    home: Path

    @property
    def root(self) -> Minio:
        return self.server.account.sdk()

    def make(self, password: str) -> S3Account:
        """Run the script as compose.yaml does. Returns Headwater's account."""
        program = minio_client.found_client()
        assert program is not None
        own = self.home / "bin"
        own.mkdir(exist_ok=True)
        if not (own / "mc").exists():
            (own / "mc").symlink_to(program)
        account = self.server.account
        environment = {
            "PATH": f"{own}:{os.environ['PATH']}",
            "MC_CONFIG_DIR": str(self.home / "mc"),
            "MINIO_ROOT_USER": account.access_key,
            "MINIO_ROOT_PASSWORD": account.secret_key,
            "STORE_ENDPOINT": account.endpoint,
            "STORE_BUCKET": BUCKET,
            "STORE_USER": USER,
            "STORE_PASSWORD": password,
        }
        made = subprocess.run(["sh", SCRIPT], env=environment, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
        assert password not in made.stdout + made.stderr
        return replace(account, access_key=USER, secret_key=password)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with minio("root") as server:
        yield Store(server, tmp_path_factory.mktemp("store"))


def test_the_server_records_a_broadcast_as_the_user(store: Store, tmp_path: Path) -> None:
    account = store.make("first-password")
    settings = {
        **account.environment,
        "HEADWATER_STORE__LOCATION": f"s3://{BUCKET}",
        "HEADWATER_STORE__S3_ENDPOINT": account.endpoint,
        "HEADWATER_STORE__S3_REGION": account.region,
        "HEADWATER_TRANSCODER__LADDER": "source",
    }
    clip = make_clip(Clip(6, size="320x180", video_kbps=200), tmp_path / "clip.flv")
    with serving(tmp_path / "data", environment=settings) as server:
        with publishing(clip, server.create("studio")) as broadcaster:
            broadcaster.wait()
        until(lambda: any(name.endswith("/1.m4s") for name in stored(store)))
        server.delete("studio")
        assert server.stop() == 0
    assert any(name.endswith("/media.m3u8") for name in stored(store))


def stored(store: Store) -> list[str]:
    return [str(found.object_name) for found in store.root.list_objects(BUCKET, "live/", recursive=True)]


def test_the_user_can_use_no_other_bucket(store: Store) -> None:
    user = store.make("first-password").sdk()
    store.root.make_bucket(bucket_name=OTHER)
    store.root.put_object(bucket_name=OTHER, object_name="a", data=BytesIO(b"secret"), length=6)
    user.put_object(bucket_name=BUCKET, object_name="own", data=BytesIO(b"own"), length=3)
    attempts = (
        lambda: user.get_object(bucket_name=OTHER, object_name="a"),
        lambda: user.put_object(bucket_name=OTHER, object_name="b", data=BytesIO(b"x"), length=1),
        lambda: user.remove_object(bucket_name=OTHER, object_name="a"),
        lambda: list(user.list_objects(bucket_name=OTHER)),
        lambda: user.make_bucket(bucket_name="third"),
        lambda: user.remove_bucket(bucket_name=BUCKET),
        lambda: user.set_bucket_policy(bucket_name=BUCKET, policy="{}"),
    )
    for attempt in attempts:
        with pytest.raises(S3Error) as refused:
            attempt()
        assert refused.value.code == "AccessDenied"


def test_the_user_cannot_administer_minio(store: Store) -> None:
    account = store.make("first-password")
    admin = MinioAdmin(
        endpoint=account.address,
        credentials=StaticProvider(account.access_key, account.secret_key),
        region=account.region,
        secure=False,
    )
    with pytest.raises(MinioAdminException, match="AccessDenied"):
        admin.user_list()


def test_a_second_run_changes_the_password_alone(store: Store) -> None:
    old = store.make("first-password").sdk()
    old.put_object(bucket_name=BUCKET, object_name="kept", data=BytesIO(b"kept"), length=4)
    new = store.make("second-password").sdk()
    assert new.stat_object(bucket_name=BUCKET, object_name="kept").size == 4
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        old.get_object(bucket_name=BUCKET, object_name="kept")
