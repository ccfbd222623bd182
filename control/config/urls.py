"""The URLs to show: the Server line for OBS, and the pages."""

import socket
from urllib.parse import urlsplit

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


def server_line(config: Config, bound: Address, *, scheme: str, host: str | None = None) -> str:
    """The Server line for OBS. ``bound`` is the address that the server listens on, ``scheme`` ``rtmp`` or
    ``rtmps``. ``host`` is the one to use if the operator has set none."""
    address = Address(config.rtmp.public_host or host or _host_of(bound), bound.port)
    return f"{scheme}://{address}/{config.rtmp.app}"


def public_url(config: Config, bound: Address) -> str:
    """The origin's URL for viewers, without a trailing slash."""
    return config.http.public_url or f"http://{Address(config.rtmp.public_host or _host_of(bound), bound.port)}"


def clock_url(config: Config) -> str:
    """The address of the server's clock for players. Without a public URL it is relative to the manifest's, because
    the server does not know the address by which a player reaches it. With one on plain HTTP it is relative too:
    if a proxy adds HTTPS, browsers do not load the clock from an HTTP address (mixed content). The path of a public
    URL precedes it either way."""
    public = config.http.public_url
    if public is None:
        return "/time"
    return f"{public}/time" if public.startswith("https://") else f"{urlsplit(public).path}/time"


def local_url(bound: Address) -> str:
    """The origin's URL for programs on this machine."""
    if bound.is_wildcard:
        bound = Address("::1" if ":" in bound.host else "127.0.0.1", bound.port)
    return f"http://{bound}"


def _host_of(bound: Address) -> str:
    return guess_host() if bound.is_wildcard else bound.host
