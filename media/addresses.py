"""Client addresses and networks, such as the /64 of an IPv6 household: where a token or a stream key is valid."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network


def canonical_network(text: str) -> str:
    """The shortest form of an address or network: ``203.0.113.7``, ``2001:db8::/64``. Raises ValueError."""
    network = ip_network(text.strip(), strict=False)
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped and network.prefixlen >= 96:
        network = ip_network(f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}")
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def is_in_network(address: str | None, network: str) -> bool:
    """Whether a client's ``address`` is in ``network``.

    An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) counts as the IPv4 address.
    """
    try:
        return address is not None and _plain(address) in ip_network(network)
    except ValueError:
        return False


def host_of(address: str) -> str:
    """The host in ``203.0.113.7:50114`` or ``[2001:db8::7]:50114``."""
    return address.rpartition(":")[0].strip("[]")


def _plain(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text.partition("%")[0])
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
