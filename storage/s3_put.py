"""A plain PUT past boto3's client: signed, sent and answered by botocore's own parts.

An object is put for every segment and every playlist, and the client's models, events and parsers cost more than
the request itself (docs/benchmarks.md, Store). Where to, and signed for which region, is learnt from the PUTs that
the client does: the first one, and whatever does not succeed here. It follows redirects, tries again and knows
every reason.
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
# The only signature that is made here; the client knows others, for other kinds of buckets.
SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/,]+/[0-9]{8}/([a-z0-9-]+)/s3/aws4_request,")


@dataclass(frozen=True, slots=True)
class Target:
    """``url`` is what keys are put behind."""

    url: str
    region: str


class PlainPut:
    """PUTs into one bucket where ``client`` does them, with the credentials of its ``session``. Used by many
    threads at once."""

    def __init__(self, client: S3Client, session: Session, bucket: str, options: S3Options) -> None:
        self._bucket = bucket
        self._target: Target | None = None
        self._credentials = session.get_credentials()
        # As the client's own: by its configuration, or by what requests' users set.
        trusted = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE", True)
        self._http = URLLib3Session(
            verify=trusted,  # type: ignore[arg-type]
            proxies=get_environ_proxies(client.meta.endpoint_url),
            timeout=(options.connect_timeout, options.read_timeout),  # type: ignore[arg-type]
            max_pool_connections=options.connections,
            socket_options=list(SOCKET_OPTIONS),  # type: ignore[arg-type]
        )
        client.meta.events.register("before-send.s3.PutObject", self._learn)

    def __call__(self, asked: PutObjectRequestTypeDef, body: bytes) -> str | None:
        """The object's ETag, or None where that did not succeed, for whatever reason. ``asked`` is what the client
        would be asked; of its headers there are the content's type and its cache control."""
        target, credentials = self._target, self._credentials
        if target is None or credentials is None:
            return None
        headers = {"Content-Type": asked["ContentType"], "Cache-Control": asked["CacheControl"]}
        request = AWSRequest("PUT", target.url + quote(asked["Key"]), headers, body)
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
        said = request.headers.get("Authorization", "")
        authorization = said.decode("ascii", "replace") if isinstance(said, bytes) else said
        self._target = target_of(request.url or "", authorization, self._bucket)


def target_of(url: str, authorization: str, bucket: str) -> Target | None:
    """Where a signed request to ``url``, of one of the bucket's keys, went; None where the signature is of another
    kind. The bucket is named in the path or, in virtual-hosted style, by the host."""
    signed = SIGNED.match(authorization)
    if signed is None:
        return None
    place = urlsplit(url)
    by_host = place.netloc.startswith(f"{bucket}.") or not place.path.startswith(f"/{bucket}/")
    return Target(f"{place.scheme}://{place.netloc}/{'' if by_host else f'{bucket}/'}", signed[1])
