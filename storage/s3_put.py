"""A plain PUT that bypasses boto3's client and uses botocore's own signer and connection pool.

Every segment and every playlist is a PUT, and the client's models, events and parsers cost more than the request
itself (docs/benchmarks.md, Store). The target URL and the region of the signature are taken from the PUTs that the
client makes: the first one, and each one that fails here. The client then follows redirects, retries, and reports
the reason.
"""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.session import Session
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import PutObjectRequestTypeDef

    from storage.s3_client import S3Options

SOCKET_OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
# The only kind of signature that this module makes; the client has others, for other kinds of buckets.
SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/,]+/[0-9]{8}/([a-z0-9-]+)/s3/aws4_request,")


@dataclass(frozen=True, slots=True)
class PutTarget:
    """The object's URL is ``url`` followed by its key."""

    url: str
    region: str


class PlainPut:
    """PUTs into one bucket, with the same URL and credentials as ``client``. Thread-safe."""

    def __init__(self, client: S3Client, session: Session, bucket: str, options: S3Options) -> None:
        self._bucket = bucket
        self._target: PutTarget | None = None
        self._credentials = session.get_credentials()
        # The same certificates as the client's: from its configuration, or from the variable that requests uses.
        trusted = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE", True)
        self._http = URLLib3Session(
            verify=trusted,  # type: ignore[arg-type]
            proxies=get_environ_proxies(client.meta.endpoint_url),
            timeout=(options.connect_timeout, options.read_timeout),  # type: ignore[arg-type]
            max_pool_connections=options.connections,
            socket_options=list(SOCKET_OPTIONS),  # type: ignore[arg-type]
        )
        client.meta.events.register("before-send.s3.PutObject", self._learn)

    def __call__(self, arguments: PutObjectRequestTypeDef, body: bytes) -> str | None:
        """Returns the object's ETag, or None if the PUT failed. ``arguments`` are those of the client's
        ``put_object``, with a content type and a cache control as the only headers."""
        target, credentials = self._target, self._credentials
        if target is None or credentials is None:
            return None
        headers = {"Content-Type": arguments["ContentType"], "Cache-Control": arguments["CacheControl"]}
        request = AWSRequest("PUT", target.url + quote(arguments["Key"]), headers, body)
        try:
            S3SigV4Auth(credentials.get_frozen_credentials(), "s3", target.region).add_auth(request)
            answer = self._http.send(request.prepare())
        except BotoCoreError:
            return None
        etag: str = answer.headers.get("ETag", "")
        return etag.strip('"') or None if answer.status_code == 200 else None

    def close(self) -> None:
        self._http.close()

    def _learn(self, request: AWSPreparedRequest, **_: object) -> None:
        header = request.headers.get("Authorization", "")
        authorization = header.decode("ascii", "replace") if isinstance(header, bytes) else header
        self._target = target_of(request.url or "", authorization, self._bucket)


def target_of(url: str, authorization: str, bucket: str) -> PutTarget | None:
    """The target of a signed request to ``url``, which names an object of ``bucket``; None if the signature is of
    another kind. The bucket is in the path or, in virtual-hosted style, in the host."""
    signed = SIGNED.match(authorization)
    if signed is None:
        return None
    place = urlsplit(url)
    by_host = place.netloc.startswith(f"{bucket}.") or not place.path.startswith(f"/{bucket}/")
    return PutTarget(f"{place.scheme}://{place.netloc}/{'' if by_host else f'{bucket}/'}", signed[1])
