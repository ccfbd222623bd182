"""A plain PUT that bypasses boto3's client and uses botocore's own signer and connection pool.

Every segment and every playlist is a PUT, and the client's models, events and parsers cost more than the request
itself (docs/benchmarks.md, Store). The URL and the region of the signature are the client's own. If a PUT fails
here, the caller repeats it with the client, which follows redirects, retries, and reports the reason.
"""

from __future__ import annotations

import io
import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
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
BEFORE_SEND = "before-send.s3.PutObject"
EXAMPLE_KEY = "example-key"


@dataclass(frozen=True, slots=True)
class PutTarget:
    """The object's URL is ``url`` followed by its key."""

    url: str
    region: str


class PlainPut:
    """PUTs into one bucket, with the same URL and credentials as ``client``. Thread-safe.

    Raises the client's errors for a bucket or settings that it cannot use.
    """

    def __init__(self, client: S3Client, session: Session, bucket: str, options: S3Options) -> None:
        self._target = put_target(client, bucket)
        self._credentials = session.get_credentials()
        # The same certificates as the client's: from its configuration, or from the variable that requests uses.
        trusted = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE", True)
        self._http = URLLib3Session(
            verify=trusted,  # type: ignore[arg-type]
            proxies=get_environ_proxies(self._target.url if self._target else client.meta.endpoint_url),
            timeout=(options.connect_timeout, options.read_timeout),  # type: ignore[arg-type]
            max_pool_connections=options.connections,
            socket_options=list(SOCKET_OPTIONS),  # type: ignore[arg-type]
        )

    def __call__(self, arguments: PutObjectRequestTypeDef, body: bytes) -> str | None:
        """Returns the object's ETag, empty if the server sends none, or None if the PUT failed. ``arguments`` are
        those of the client's ``put_object``, with a content type and a cache control as the only headers."""
        target, credentials = self._target, self._credentials
        if target is None or credentials is None:
            return None
        headers = {"Content-Type": arguments["ContentType"], "Cache-Control": arguments["CacheControl"]}
        request = AWSRequest("PUT", target.url + quote(arguments["Key"]), headers, body)
        try:
            S3SigV4Auth(credentials.get_frozen_credentials(), "s3", target.region).add_auth(request)
            answer = self._http.send(request.prepare())
            # The answer to a PUT that succeeds has no body. Some servers report an error in a body after a 200.
            succeeded = answer.status_code == 200 and not answer.content
        except BotoCoreError:
            return None
        return str(answer.headers.get("ETag", "")).strip('"') if succeeded else None

    def close(self) -> None:
        self._http.close()


def put_target(client: S3Client, bucket: str) -> PutTarget | None:
    """Where ``client`` sends a PUT into ``bucket``, and for which region it signs it; None if it signs in a way
    that this module does not. Sends nothing: botocore takes the answer of an event handler for that of the server.
    Call it before other threads use the client."""
    prepared: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: object) -> Any:
        prepared.append(request)
        return AWSResponse(request.url or "", 200, {}, _NoBody())  # type: ignore[arg-type]

    client.meta.events.register(BEFORE_SEND, answer)
    try:
        client.put_object(Bucket=bucket, Key=EXAMPLE_KEY, Body=b"")
    finally:
        client.meta.events.unregister(BEFORE_SEND, answer)
    return _target(prepared[-1])


def _target(request: AWSPreparedRequest) -> PutTarget | None:
    url, header = request.url or "", request.headers.get("Authorization", "")
    signed = SIGNED.match(header.decode("ascii", "replace") if isinstance(header, bytes) else header)
    if signed is None or not url.endswith(f"/{EXAMPLE_KEY}"):
        return None
    return PutTarget(url.removesuffix(EXAMPLE_KEY), signed[1])


class _NoBody(io.BytesIO):
    """What botocore needs of urllib3's response."""

    def stream(self) -> list[bytes]:
        return []
