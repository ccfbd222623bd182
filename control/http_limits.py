"""Limits of HTTP connections, and the connections that they apply to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from media.peers import ConnectionCounts, TrustedPeers

KIB = 1024


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """``head_bytes`` and ``fields`` bound a request's line, header fields and trailer fields together.

    All times are seconds. ``request_timeout`` limits a request's head, and then its body. ``send_timeout`` limits
    how long the client may leave the connection's send buffer full; it drains about 64 KiB in that time.
    ``idle_timeout`` limits the wait for the next request. ``linger`` is the time that a refused client has to read
    the refusal.

    ``connections`` bounds all connections, ``per_address`` those of one address that is not a trusted proxy.
    """

    head_bytes: int = 32 * KIB
    fields: int = 100
    request_timeout: float = 10.0
    send_timeout: float = 30.0
    idle_timeout: float = 15.0
    linger: float = 1.0
    connections: int = 10_000
    per_address: int = 256


class Evictable(Protocol):
    def evict(self) -> None:
        """Close the connection at once."""


class TooManyConnections(Exception):
    """``code`` is stable; the text is for the client."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class HttpConnections:
    """All open connections. If their number reaches its limit, the one that has waited longest for a complete
    request is closed to make room.

    ``trusted`` are proxies: each has the connections of many viewers, so they have no limit of their own.
    ``on_refused`` gets the stable code of each connection that is refused or closed because of a limit.
    """

    def __init__(
        self,
        limits: HttpLimits | None = None,
        *,
        trusted: TrustedPeers | None = None,
        on_refused: Callable[[str], None] = lambda code: None,
    ) -> None:
        self.limits = limits or HttpLimits()
        self.on_refused = on_refused
        self._trusted = trusted or TrustedPeers()
        self._counts = ConnectionCounts()
        self._addresses: dict[Evictable, str] = {}
        self._waiting: dict[Evictable, None] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def admit(self, connection: Evictable, address: str) -> None:
        """Add a new connection, which waits for its first request. Raises TooManyConnections."""
        limits = self.limits
        if address not in self._trusted and self._counts.of(address) >= limits.per_address:
            raise TooManyConnections(
                "too-many-connections-of-address",
                f"there are {limits.per_address} connections from your address already: close some of them",
            )
        while len(self._addresses) >= limits.connections:
            oldest = next(iter(self._waiting), None)
            if oldest is None:
                raise TooManyConnections(
                    "too-many-connections", "the server has as many connections as it can hold: try again"
                )
            self.on_refused("connection-evicted")
            self.remove(oldest)
            oldest.evict()
        self._counts.add(address)
        self._addresses[connection] = address
        self._waiting[connection] = None

    def wait(self, connection: Evictable) -> None:
        """The connection waits for a complete request from now on."""
        if connection in self._addresses:
            self._waiting.pop(connection, None)
            self._waiting[connection] = None

    def serve(self, connection: Evictable) -> None:
        """The connection's request is complete."""
        self._waiting.pop(connection, None)

    def remove(self, connection: Evictable) -> None:
        address = self._addresses.pop(connection, None)
        self._waiting.pop(connection, None)
        if address is not None:
            self._counts.remove(address)
