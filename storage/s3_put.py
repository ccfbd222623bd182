"""A plain PUT past boto3's client: signed, sent and answered by botocore's own parts.

An object is put for every segment and every playlist, and the client's models, events and parsers cost more than
the request itself (docs/benchmarks.md, Store). What does not succeed here is done again by the client, which
follows redirects, tries again and knows every reason.
"""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

if TYPE_CHECKING:
    from botocore.session import Session
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import PutObjectRequestTypeDef

    from storage.s3_client import S3Options

SOCKET_OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
# A bucket that can be part of a host's name, and of its certificate's: one label.
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class PlainPut:
    """PUTs into one bucket where ``client`` would do them, with the credentials of its ``session``. Used by many
    threads at once."""

    def __init__(self, client: S3Client, session: Session, bucket: str, options: S3Options) -> None:
        self._base = base_url(client.meta.endpoint_url, bucket, in_path=options.in_path)
        self._region = client.meta.region_name
        self._credentials = session.get_credentials()
        # As the client's own: by its configuration, or by what requests' users set.
        trusted = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE", True)
        self._http = URLLib3Session(
            verify=trusted,  # type: ignore[arg-type]
            proxies=get_environ_proxies(self._base),
            timeout=(options.connect_timeout, options.read_timeout),  # type: ignore[arg-type]
            max_pool_connections=options.connections,
            socket_options=list(SOCKET_OPTIONS),  # type: ignore[arg-type]
        )

    def __call__(self, asked: PutObjectRequestTypeDef, body: bytes) -> str | None:
        """The object's ETag, or None where that did not succeed, for whatever reason. ``asked`` is what the client
        would be asked; of its headers there are the content's type and its cache control."""
        if self._credentials is None:
            return None
        headers = {"Content-Type": asked["ContentType"]}
        if "CacheControl" in asked:
            headers["Cache-Control"] = asked["CacheControl"]
        request = AWSRequest("PUT", self._base + quote(asked["Key"]), headers, body)
        try:
            S3SigV4Auth(self._credentials.get_frozen_credentials(), "s3", self._region).add_auth(request)
            answer = self._http.send(request.prepare())
        except BotoCoreError:
            return None
        etag: str = answer.headers.get("ETag", "")
        return etag.strip('"') or None if answer.status_code == 200 else None

    def close(self) -> None:
        self._http.close()


def base_url(endpoint: str, bucket: str, *, in_path: bool) -> str:
    """The URL of the bucket's keys: virtual-hosted style where the bucket can be part of a host's name, unless it
    is to be in the path."""
    url = urlsplit(endpoint)
    if in_path or not LABEL.fullmatch(bucket):
        return f"{endpoint.rstrip('/')}/{bucket}/"
    return url._replace(netloc=f"{bucket}.{url.netloc}", path="/").geturl()
