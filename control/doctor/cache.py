"""The cache in front, asked as a stranger on the network would: docs/deployment.md, "A cache in front"."""

import socket
import ssl
import time
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

import httpx

from control.doctor.finding import Finding, fault, good, warning

SUBJECT = "cache"
ANSWER_S = 10.0
# What viewers must not reach, also if a path is written in another way.
HIDDEN = ("/metrics", "/%6detrics", "/live/../metrics", "/api/v1/streams")
# No stream has this name.
ABSENT = "/live/headwater-doctor-0/master.m3u8"
CROOKED = "/live/headwater-doctor-0/./master.m3u8"
LAST_DAYS = 14


def examine_cache(url: str) -> Iterator[Finding]:
    url = url.rstrip("/")
    try:
        with httpx.Client(timeout=ANSWER_S) as client:
            yield from _ask(client, url)
    except httpx.HTTPError as error:
        yield fault(SUBJECT, f"{url} does not answer: {error}", "start it, or open its port in the firewall")
        return
    if url.startswith("https://"):
        yield from _https(url)
    else:
        advice = "use HTTPS (docs/deployment.md, HTTPS and HTTP/2): Apple's players need HTTP/2 for low latency"
        yield warning(SUBJECT, f"{url} is not encrypted", advice)


def _ask(client: httpx.Client, url: str) -> Iterator[Finding]:
    absent = client.get(f"{url}{ABSENT}")
    if absent.status_code != 404 or absent.headers.get("content-type", "").startswith("text/html"):
        text = f"{url}{ABSENT} answered {absent.status_code}, and not as Headwater does"
        yield fault(SUBJECT, text, "forward /live/ to Headwater's HTTP port")
        return
    yield good(SUBJECT, f"{url} forwards /live/ to Headwater")
    crooked = _raw(client, f"{url}{CROOKED}")
    if crooked == 200 or crooked >= 500:
        yield fault(
            SUBJECT, f"{CROOKED} answered {crooked}", "key answers by the raw path, as docker/nginx.conf does"
        )
    reached = [path for path in HIDDEN if _raw(client, f"{url}{path}") == 200]
    if reached:
        advice = "pass on an allow-list of paths, as docker/nginx.conf and docker/varnish.vcl do"
        yield fault(SUBJECT, f"strangers reach {', '.join(reached)}", advice)
    else:
        yield good(SUBJECT, "metrics and the API are out of strangers' reach")
    allowed = client.get(f"{url}{ABSENT}", headers={"Origin": "https://headwater-doctor.example"})
    if "access-control-allow-origin" not in allowed.headers:
        yield warning(
            SUBJECT,
            "answers do not allow players in pages of other sites",
            "pass on the header Access-Control-Allow-Origin, or set [http] cors_origins if other sites should play",
        )


def _raw(client: httpx.Client, url: str) -> int:
    """The status of a path that the client must not tidy."""
    parts = urlsplit(url)
    path = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    target = httpx.URL(url).copy_with(raw_path=path.encode())
    return client.send(client.build_request("GET", target)).status_code


def _https(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    host, port = parts.hostname or "", parts.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=ANSWER_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            protocol, fields = encrypted.selected_alpn_protocol(), encrypted.getpeercert() or {}
    except (OSError, ssl.SSLError) as error:
        yield fault(SUBJECT, f"{url}: {error}", "renew the certificate, with its whole chain")
        return
    if protocol != "h2":
        advice = "turn HTTP/2 on, as docker/tls.conf does: Apple's players need it for low latency"
        yield warning(SUBJECT, f"{url} does not speak HTTP/2", advice)
    days = (ssl.cert_time_to_seconds(cast(str, fields["notAfter"])) - time.time()) / 86_400
    text = f"its certificate is valid for {days:.0f} more days"
    yield warning(SUBJECT, text, "renew it") if days < LAST_DAYS else good(SUBJECT, f"HTTPS, {protocol}; {text}")
