"""boto3's client with Headwater's settings for connections, timeouts and retries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from botocore.session import Session
    from types_boto3_s3.client import S3Client

DEFAULT_REGION = "us-east-1"
ATTEMPTS = 2
"""One quick retry for a broken connection; the caller handles longer outages."""


@dataclass(frozen=True, slots=True)
class S3Options:
    """``endpoint`` is a URL, None for AWS. ``region`` None is that of boto3's configuration
    (``AWS_DEFAULT_REGION``, the shared files), else us-east-1. ``connections`` is the number of simultaneous
    reads, and of simultaneous writes, each with its own thread and connection. Timeouts are seconds.

    ``path_style`` puts the bucket into the path of the URL instead of its host. None does so if there is an
    ``endpoint``: few servers except AWS accept a bucket in the host name.
    """

    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    connections: int = 8
    connect_timeout: float = 5.0
    read_timeout: float = 20.0

    @property
    def addressing_style(self) -> Literal["path", "virtual", "auto"]:
        if self.path_style is None:
            return "auto" if self.endpoint is None else "path"
        # "auto" would be the path for every endpoint that is given.
        return "path" if self.path_style else "virtual"


def make_session() -> Session:
    """A session with credentials from boto3's own chain. Raises boto3's errors for unusable configuration files."""
    # Imported late, because the configuration uses the options without boto3.
    import botocore.session

    return botocore.session.get_session()


def make_client(core: Session, options: S3Options) -> S3Client:
    """Raises boto3's errors for settings that it cannot use."""
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(botocore_session=core)
    return session.client(
        "s3",
        endpoint_url=options.endpoint,
        region_name=options.region or session.region_name or DEFAULT_REGION,
        config=Config(
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
            max_pool_connections=2 * options.connections,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            s3={"addressing_style": options.addressing_style},
            tcp_keepalive=True,
            # The signature covers the body already, and not every server supports the newer trailers.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
