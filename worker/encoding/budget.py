"""The node's budget for encoding: the luma samples per second that all renditions may have together.

Pure: it holds reservations, by broadcast.
"""

from collections.abc import Mapping


class EncodingBudget:
    """``limit`` is luma samples per second, None for no limit; a change applies to the next reservations."""

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self._reserved: dict[str, int] = {}

    def reserve(self, broadcast: str, rates: Mapping[str, int]) -> frozenset[str]:
        """Reserve room for as many of a broadcast's rungs as fit, cheapest first; returns their tracks.

        ``rates`` has the luma samples per second of each track. It replaces the broadcast's earlier reservation.
        """
        self.release(broadcast)
        if self.limit is None:
            return frozenset(rates)
        left = self.limit - sum(self._reserved.values())
        fitting = []
        for track, rate in sorted(rates.items(), key=lambda item: item[1]):
            if rate > left:
                break
            left -= rate
            fitting.append(track)
        self._reserved[broadcast] = sum(rates[track] for track in fitting)
        return frozenset(fitting)

    def release(self, broadcast: str) -> None:
        self._reserved.pop(broadcast, None)
