"""The media that all upload queues hold: in memory up to a bound, and in the spool what the store does not take."""

from typing import Protocol

from storage.spool import Spool

MAX_BYTES = 256 << 20


class Holder(Protocol):
    """An upload queue. Media that are being uploaded cannot be dropped."""

    @property
    def memory(self) -> int:
        """The bytes of media that it holds in memory."""
        ...

    def oldest(self, *, spooled: bool) -> float | None:
        """The time at which the oldest media in the spool, or in memory, were submitted; None if there are no
        media that can be dropped."""
        ...

    def drop_oldest(self, *, spooled: bool) -> None:
        """Lose the oldest media in the spool, or in memory."""
        ...


class Backlog:
    """At most ``max_bytes`` of media are in memory. Beyond that, the queue that holds most loses its oldest."""

    def __init__(self, max_bytes: int = MAX_BYTES, spool: Spool | None = None) -> None:
        self.spool = spool
        self._max_bytes = max_bytes
        self._holders: set[Holder] = set()

    def join(self, holder: Holder) -> None:
        self._holders.add(holder)

    def leave(self, holder: Holder) -> None:
        self._holders.discard(holder)

    def limit_memory(self) -> None:
        """Call it after media were added."""
        while sum(holder.memory for holder in self._holders) > self._max_bytes:
            holders = [holder for holder in self._holders if holder.oldest(spooled=False) is not None]
            if not holders:
                return
            max(holders, key=lambda holder: holder.memory).drop_oldest(spooled=False)

    def make_room(self, size: int) -> bool:
        """Make room for ``size`` bytes in the spool, whose oldest media are lost. Returns False if that is not
        possible."""
        spool = self.spool
        while spool is not None and not spool.has_room(size):
            found = [
                (since, holder) for holder in self._holders if (since := holder.oldest(spooled=True)) is not None
            ]
            if not found:
                return False
            min(found, key=lambda pair: pair[0])[1].drop_oldest(spooled=True)
        return spool is not None
