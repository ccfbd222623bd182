"""When the server was down. What viewers lose then is an allowed wait. Times are of the monotonic clock."""

import time
from dataclasses import dataclass, field

# A connection that the dead server had accepted may be reset a little later.
GRACE_S = 1.0


@dataclass(slots=True)
class Downtime:
    """``spans`` are begin and end of each; a server that is down now has the end infinity."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def begin(self) -> None:
        self.spans.append((time.monotonic(), float("inf")))

    def end(self) -> None:
        begin, _ = self.spans.pop()
        self.spans.append((begin, time.monotonic()))

    def covers(self, at: float) -> bool:
        """Whether the server was down at ``at``, or only just back."""
        return any(begin <= at <= end + GRACE_S for begin, end in self.spans)

    def excuses(self, since: float) -> bool:
        """Whether the server was down at some time between ``since`` and now."""
        return any(since <= end + GRACE_S for _, end in self.spans)
