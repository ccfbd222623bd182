"""The PROXY protocol, versions 1 and 2: a TCP balancer sends the client's address before the client's bytes.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt; sections 2.1 and 2.2 define the two forms.
"""

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import ClassVar

from ingest.errors import IngestError

V1_START = b"PROXY "
V1_MAX = 107
V1 = re.compile(rb"PROXY (?:UNKNOWN[ -~]*|(TCP4|TCP6) ([0-9a-fA-F.:]+) [0-9a-fA-F.:]+ ([0-9]{1,5}) [0-9]{1,5})\r\n")
V2_START = b"\r\n\r\n\x00\r\nQUIT\n"
V2_FIXED = 16
# Type-length-value fields may follow the addresses; they are skipped.
V2_MAX = 2048
LOCAL, PROXY = 0x20, 0x21
TCP4, TCP6 = 0x11, 0x21


class BadProxyHeader(IngestError):
    """The connection begins like a PROXY header, but it is not a valid one."""

    code: ClassVar[str] = "bad-proxy-header"


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """``client`` is the client's address and port; None if the header names none: the balancer itself connects, for
    a health check. ``size`` is the header's length in bytes."""

    client: tuple[str, int] | None
    size: int


class Preface:
    """The first bytes of a connection, until it is known whether they are a PROXY header. RTMP begins with the byte
    3, so the first byte decides in most cases."""

    def __init__(self) -> None:
        self._buffer = bytearray(V2_MAX)
        self._size = 0

    def get_buffer(self) -> memoryview:
        return memoryview(self._buffer)[self._size :]

    def buffer_updated(self, count: int) -> tuple[ProxyHeader | None, bytes] | None:
        """The header, or None if there is none, and the bytes after it; None while more bytes are needed. Raises
        BadProxyHeader."""
        self._size += count
        received = bytes(self._buffer[: self._size])
        if _begins(received, V1_START):
            header = _parse_v1(received)
        elif _begins(received, V2_START):
            header = _parse_v2(received)
        else:
            return None, received
        return None if header is None else (header, received[header.size :])


def _begins(received: bytes, start: bytes) -> bool:
    """Whether ``received`` begins with ``start``, as far as it goes."""
    return received[: len(start)] == start[: len(received)]


def _parse_v1(received: bytes) -> ProxyHeader | None:
    end = received.find(b"\r\n", 0, V1_MAX)
    if end < 0:
        if len(received) >= V1_MAX:
            raise BadProxyHeader("the line of a PROXY header is at most 107 bytes")
        return None
    match = V1.fullmatch(received[: end + 2])
    if match is None:
        raise BadProxyHeader("the PROXY header is not one of version 1")
    if match[1] is None:
        return ProxyHeader(None, end + 2)
    address, port = match[2].decode(), int(match[3])
    try:
        client = str(IPv4Address(address) if match[1] == b"TCP4" else IPv6Address(address))
    except ValueError:
        raise BadProxyHeader("the address in the PROXY header is not valid") from None
    if port > 0xFFFF:
        raise BadProxyHeader("the port in the PROXY header is not valid")
    return ProxyHeader((client, port), end + 2)


def _parse_v2(received: bytes) -> ProxyHeader | None:
    if len(received) < V2_FIXED:
        return None
    command, protocol, length = struct.unpack_from("!BBH", received, len(V2_START))
    size = V2_FIXED + length
    if command not in (LOCAL, PROXY):
        raise BadProxyHeader("the PROXY header has an unknown version or command")
    if size > V2_MAX:
        raise BadProxyHeader(f"a PROXY header is at most {V2_MAX} bytes")
    if len(received) < size:
        return None
    if command == LOCAL or protocol not in (TCP4, TCP6):
        return ProxyHeader(None, size)
    form = "!4s4sH" if protocol == TCP4 else "!16s16sH"
    if length < struct.calcsize(form) + 2:
        raise BadProxyHeader("the PROXY header is too short for its addresses")
    source, _, port = struct.unpack_from(form, received, V2_FIXED)
    client = str(IPv4Address(source) if protocol == TCP4 else IPv6Address(source))
    return ProxyHeader((client, port), size)
