"""An S3 server's endpoint and credentials."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import urllib3
from minio import Minio


@dataclass(frozen=True, slots=True)
class S3Account:
    """``endpoint`` is a URL."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str

    @property
    def address(self) -> str:
        """Host and port of the endpoint."""
        return urlsplit(self.endpoint).netloc

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with which boto3 finds these credentials and no others."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def sdk(self, pool: urllib3.PoolManager | None = None) -> Minio:
        """MinIO's own client, which shares no code with boto3."""
        return Minio(
            self.address,
            access_key=self.access_key,
            secret_key=self.secret_key,
            secure=urlsplit(self.endpoint).scheme == "https",
            region=self.region,
            http_client=pool,
        )

    @contextmanager
    def bucket(self) -> Iterator[str]:
        """A new bucket, removed with all that is in it."""
        name, sdk = f"headwater-test-{secrets.token_hex(6)}", self.sdk()
        sdk.make_bucket(bucket_name=name)
        try:
            yield name
        finally:
            for found in sdk.list_objects(bucket_name=name, recursive=True):
                assert found.object_name is not None
                sdk.remove_object(bucket_name=name, object_name=found.object_name)
            sdk.remove_bucket(bucket_name=name)
