"""Network addresses of peers: which of them are trusted, and how many connections each one holds.

An IPv6 peer counts by its /64, because a household or a rented machine has all addresses of one. An IPv4-mapped
IPv6 address (RFC 4291, 2.5.5.2) counts as the IPv4 address.
"""

from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

ANYONE = "*"
IPV6_PREFIX = 64


class TrustedPeers:
    """Addresses and networks such as ``10.0.0.5`` or ``10.0.0.0/8``; ``*`` is every address. Raises ValueError."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        texts = frozenset(networks)
        self._anyone = ANYONE in texts
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(text) for text in sorted(texts - {ANYONE})
        )

    def __contains__(self, address: object) -> bool:
        if self._anyone:
            return True
        parsed = _parsed(address) if isinstance(address, str) and self._networks else None
        return parsed is not None and any(parsed in network for network in self._networks)


class ConnectionCounts:
    """The number of connections of each peer."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def of(self, address: str) -> int:
        return self._counts[counted_as(address)]

    def add(self, address: str) -> None:
        self._counts[counted_as(address)] += 1

    def remove(self, address: str) -> None:
        """Undo one :meth:`add` of the same address."""
        key = counted_as(address)
        self._counts[key] -= 1
        if self._counts[key] <= 0:
            del self._counts[key]


def counted_as(address: str) -> str:
    """The same text for all addresses of one peer; ``address`` itself if it is not an IP address."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, IPV6_PREFIX), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
