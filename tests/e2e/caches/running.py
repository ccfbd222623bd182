"""The caches of ``docker/``, run by the real programs in front of any origin: Varnish alone, and nginx with Varnish
behind it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.caches.counting_origin import PATIENCE_S
from tests.lab.front import Front, has_nginx, has_varnish, nginx, nginx_configuration, varnish_front

with_varnish = pytest.mark.skipif(not has_varnish(), reason="varnish is not installed")
with_nginx = pytest.mark.skipif(not has_nginx(), reason="nginx, its Lua module or varnish is not installed")
FRONTS = (pytest.param("varnish", marks=with_varnish), pytest.param("nginx", marks=with_nginx))
# A client with this address is not a proxy that the caches trust.
STRANGER = "127.0.0.2"


@contextmanager
def running_cache(by: str, origin: int, directory: Path, workers: int = 1) -> Iterator[Front]:
    """``by`` is one of FRONTS; ``origin`` is the port of the origin."""
    address = f"127.0.0.1:{origin}"
    with varnish_front(directory, address) as behind:
        if by == "varnish":
            yield behind
            return
        varnish = f"127.0.0.1:{behind.port}"
        with nginx(nginx_configuration(directory, address, varnish, workers=workers)) as front:
            yield front


@contextmanager
def viewers_of(front: Front) -> Iterator[httpx.Client]:
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=f"http://127.0.0.1:{front.port}", limits=limits, timeout=PATIENCE_S) as client:
        yield client


def stranger(front: Front) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=STRANGER)
    return httpx.Client(base_url=f"http://127.0.0.1:{front.port}", transport=transport, timeout=PATIENCE_S)


def raw_get(front: Front, target: str) -> int:
    """The status for a request target that a client library would normalize."""
    with socket.create_connection(("127.0.0.1", front.port), timeout=PATIENCE_S) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        return int(client.makefile("rb").readline().split()[1])
