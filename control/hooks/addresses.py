"""Which targets may be called: http and https, at public addresses only, unless the operator allows private ones.

A name is resolved once for each attempt, every address is checked, and the connection goes to a checked address.
"""

import asyncio
import re
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from origin.api.errors import BadHookTarget

IPAddress = IPv4Address | IPv6Address
LookUp = Callable[[str, int], Awaitable[tuple[str, ...]]]

MAX_URL = 2048
# The addresses of one name that are tried.
MAX_ADDRESSES = 4
MAX_LOOKUPS = 16

# RFC 3986 has no other characters; parsers disagree about the backslash.
_URL = re.compile(r"[!-\[\]-~]+")
_PORTS = {"http": 80, "https": 443}
# RFC 6052, 2.1: an IPv4 address is in the last four bytes.
_NAT64 = IPv6Network("64:ff9b::/96")
# Networks that `ipaddress` counts as public, in part or in some versions: of protocols (RFC 6890), local NAT64 (RFC
# 8215), and the address at which virtual machines of Azure reach their host.
_SPECIAL = (IPv4Network("192.0.0.0/24"), IPv6Network("64:ff9b:1::/48"), IPv4Network("168.63.129.16/32"))


@dataclass(frozen=True, slots=True)
class HookTarget:
    """``host`` has no brackets. ``path`` has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The header ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str) -> HookTarget:
    """Raises BadHookTarget."""
    if len(url) > MAX_URL:
        raise BadHookTarget(f"the URL has more than {MAX_URL} characters")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise BadHookTarget(f"{url!r} is not a URL") from None
    if _URL.fullmatch(url) is None or parts.scheme not in _PORTS or not host:
        raise BadHookTarget(f"{url!r} cannot be called: write it in full, as https://example.org/hook")
    if "@" in parts.netloc:
        raise BadHookTarget("the URL has a user name or password: leave it out, and check the signature instead")
    if parts.fragment:
        raise BadHookTarget("the URL has a fragment, which is never sent: leave out what follows the #")
    if port == 0:
        raise BadHookTarget("the URL has the port 0: write another one")
    return HookTarget(parts.scheme, host, port or _PORTS[parts.scheme], _path(parts))


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_public(address: IPAddress) -> bool:
    """Whether an address belongs to the public internet. One of IPv6 that carries one of IPv4 is judged by it."""
    if isinstance(address, IPv6Address):
        translated = IPv4Address(address.packed[-4:]) if address in _NAT64 else address.ipv4_mapped
        if translated is not None:
            return is_public(translated)
        tunnelled = (address.sixtofour, *(address.teredo or ()))
        if address.is_site_local or any(each is not None and not is_public(each) for each in tunnelled):
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _SPECIAL)
    )


def look_up_blocking(host: str, port: int) -> tuple[str, ...]:
    """Raises OSError and UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class NameLookUp:
    """Looks up names in threads of its own, because the system's resolver may hang: it must neither delay others
    nor the end of the process. Callers that ask for the same name share one look-up."""

    def __init__(self, look_up: Callable[[str, int], tuple[str, ...]] = look_up_blocking) -> None:
        self._look_up = look_up
        self._running: dict[tuple[str, int], asyncio.Future[tuple[str, ...]]] = {}

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses. Raises OSError and UnicodeError."""
        key = (host, port)
        found = self._running.get(key)
        if found is None:
            if len(self._running) >= MAX_LOOKUPS:
                raise OSError("too many names are looked up at once")
            found = asyncio.get_running_loop().create_future()
            self._running[key] = found
            found.add_done_callback(lambda done: self._finish(key, done))
            threading.Thread(target=self._run, args=(key, found), name="hook-name", daemon=True).start()
        return await asyncio.shield(found)

    def _run(self, key: tuple[str, int], found: "asyncio.Future[tuple[str, ...]]") -> None:
        try:
            addresses, error = self._look_up(*key), None
        except (OSError, UnicodeError) as failure:
            addresses, error = (), failure
        # The loop may have ended meanwhile.
        with suppress(RuntimeError):
            found.get_loop().call_soon_threadsafe(_settle, found, addresses, error)

    def _finish(self, key: tuple[str, int], done: "asyncio.Future[tuple[str, ...]]") -> None:
        del self._running[key]
        # Read the error even if no caller waits: otherwise asyncio logs that it was never retrieved.
        if not done.cancelled():
            done.exception()


def _settle(found: "asyncio.Future[tuple[str, ...]]", addresses: tuple[str, ...], error: Exception | None) -> None:
    if found.done():
        return
    if error is None:
        found.set_result(addresses)
    else:
        found.set_exception(error)


async def checked_addresses(target: HookTarget, look_up: LookUp, *, allow_private: bool) -> tuple[IPAddress, ...]:
    """The addresses to connect to, in the order to try them. Raises BadHookTarget."""
    try:
        found = await look_up(target.host, target.port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadHookTarget(f"the name {target.host} cannot be resolved: {reason}") from None
    addresses = tuple(ip_address(text) for text in found)
    if not addresses:
        raise BadHookTarget(f"the name {target.host} has no address")
    if not allow_private and (refused := [each for each in addresses if not is_public(each)]):
        is_itself = str(refused[0]) == target.host
        name = target.host if is_itself else f"{target.host} resolves to {refused[0]}, which"
        raise BadHookTarget(
            f"{name} is not a public address: to call targets in your own network, set [hooks] allow_private"
        )
    return addresses[:MAX_ADDRESSES]
