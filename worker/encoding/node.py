"""The encoding of all broadcasts of a node, which share its processors and its budget."""

from collections.abc import Callable
from typing import Protocol

from worker.encoding.budget import EncodingBudget
from worker.encoding.policy import Load, SheddingPolicy


class SheddableLadder(Protocol):
    """The ladder of one broadcast."""

    def shed(self, track: str, now: float) -> None: ...

    def restore(self, track: str, now: float) -> None: ...


class NodeEncoding:
    """``max_pixel_rate`` is the luma samples per second of all renditions, None for no limit. ``refuses``: a
    publisher is refused if it can only be encoded and there is no room; otherwise its cheapest rung is encoded.
    ``on_shed`` is called with the stream and track of each rung that is shed."""

    def __init__(
        self,
        max_pixel_rate: int | None = None,
        *,
        refuses: bool = False,
        on_shed: Callable[[str, str], None] = lambda stream, track: None,
    ) -> None:
        self.budget = EncodingBudget(max_pixel_rate)
        self.refuses = refuses
        self.on_shed = on_shed
        self._policy = SheddingPolicy()
        self._ladders: dict[str, SheddableLadder] = {}

    def review(self, broadcast: str, ladder: SheddableLadder, load: Load, now: float) -> None:
        """Take the load of one broadcast, and shed or restore a rung of any if it is time. ``now`` is monotonic
        seconds."""
        self._ladders[broadcast] = ladder
        self._policy.report(broadcast, load, now)
        change = self._policy.decide(now)
        if change is None:
            return
        changed = self._ladders[change.broadcast]
        if change.returns:
            changed.restore(change.track, now)
        else:
            changed.shed(change.track, now)

    def leave(self, broadcast: str) -> None:
        """The broadcast has ended."""
        self.budget.release(broadcast)
        self._policy.forget(broadcast)
        self._ladders.pop(broadcast, None)
