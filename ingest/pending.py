"""Connections whose key has not been accepted: few, so that they cannot keep out those with the right key."""

from typing import Generic, TypeVar

from media.peers import counted_as

T = TypeVar("T")


class PendingConnections(Generic[T]):
    """At most ``limit`` connections, and at most ``per_address`` of one address. The one that has waited longest
    makes room for the next: a publisher needs a second, and a connection that only holds its place needs longer."""

    def __init__(self, limit: int, per_address: int) -> None:
        self._limit = limit
        self._per_address = per_address
        self._addresses: dict[T, str] = {}
        self._of_address: dict[str, dict[T, None]] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def add(self, connection: T, address: str | None) -> list[T]:
        """Add a connection; with ``address`` None, only ``limit`` applies. Returns the connections to be closed,
        which are already removed."""
        key = "" if address is None else counted_as(address)
        siblings = self._of_address.setdefault(key, {})
        evicted = []
        if address is not None and len(siblings) >= self._per_address:
            evicted.append(next(iter(siblings)))
        elif len(self._addresses) >= self._limit:
            evicted.append(next(iter(self._addresses)))
        for oldest in evicted:
            self.remove(oldest)
        self._addresses[connection] = key
        self._of_address.setdefault(key, {})[connection] = None
        return evicted

    def remove(self, connection: T) -> None:
        key = self._addresses.pop(connection, None)
        if key is None:
            return
        siblings = self._of_address[key]
        del siblings[connection]
        if not siblings:
            del self._of_address[key]
