"""The URLs to show: the Server line for OBS, and the pages."""

import socket

from control.config.address import Address
from control.config.model import Config

# A documentation address (RFC 5737). Connecting a datagram socket to it sends nothing, but makes the system choose
# an interface, and with it the address by which others reach this machine.
ELSEWHERE = ("192.0.2.1", 9)


def guess_host() -> str:
    """The address by which other machines most likely reach this one; ``localhost`` without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
            host = str(probe.getsockname()[0])
        except OSError:
            return "localhost"
    return "localhost" if host == "0.0.0.0" else host


def rtmp_url(config: Config, bound: Address) -> str:
    """The Server line for OBS. ``bound`` is the address that the server listens on."""
    host = config.rtmp.public_host or _host_of(bound)
    return f"rtmp://{Address(host, bound.port)}/{config.rtmp.app}"


def public_url(config: Config, bound: Address) -> str:
    """The origin's URL for viewers, without a trailing slash."""
    return config.http.public_url or f"http://{Address(config.rtmp.public_host or _host_of(bound), bound.port)}"


def clock_url(config: Config) -> str:
    """The address of the server's clock for players. Without a public URL it is relative to the manifest's, because
    the server does not know the address by which a player reaches it. With one on plain HTTP it is relative too:
    if a proxy adds HTTPS, browsers do not load the clock from an HTTP address (mixed content)."""
    public = config.http.public_url
    return f"{public}/time" if public is not None and public.startswith("https://") else "/time"


def local_url(bound: Address) -> str:
    """The origin's URL for programs on this machine."""
    if bound.is_wildcard:
        bound = Address("::1" if ":" in bound.host else "127.0.0.1", bound.port)
    return f"http://{bound}"


def _host_of(bound: Address) -> str:
    return guess_host() if bound.is_wildcard else bound.host
