"""A cache with a bound on the size of its values and on their number."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class SizedCache(Generic[K, V]):
    """Keeps values of ``max_bytes`` in total, and at most ``max_values`` of them; the least recently used ones are
    dropped first. A value that is larger than ``max_bytes`` is not kept."""

    def __init__(self, max_bytes: float, *, max_values: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._max_values = max_values
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        return self._bytes

    def get(self, key: K) -> V | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Add a value of ``size`` bytes, or replace the value of ``key``."""
        self.drop(key)
        if size > self._max_bytes:
            return
        self._kept[key] = value, size
        self._bytes += size
        while self._bytes > self._max_bytes or (self._max_values is not None and len(self) > self._max_values):
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= gone

    def drop(self, key: K) -> None:
        _, size = self._kept.pop(key, (None, 0))
        self._bytes -= size
