"""An S3 server's endpoint and credentials."""

import os
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
