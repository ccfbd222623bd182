"""Refused requests in the audit log: one entry a minute for each kind, so that a flood of wrong tokens does not
write a flood of entries."""

import asyncio
from collections import Counter
from collections.abc import Callable

from pydantic import JsonValue

from media.peers import counted_as
from storage.audit import AuditActor, AuditLog, new_entry

INTERVAL_S = 60.0
# Addresses that are counted apart in a minute, and those that an entry names.
MAX_ADDRESSES = 1000
MAX_NAMED = 20

OTHERS = "others"

Kind = tuple[str, AuditActor | None]


class RefusalTally:
    """Counts refusals by error code, token and address (IPv6: /64). ``clock`` returns Unix seconds."""

    def __init__(self, audit: AuditLog, clock: Callable[[], float], *, interval: float = INTERVAL_S) -> None:
        self._audit = audit
        self._clock = clock
        self._interval = interval
        self._counts: dict[Kind, Counter[str]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, code: str, address: str, token: AuditActor | None = None) -> None:
        """``token`` is the one that was sent, if it is valid."""
        counts = self._counts.setdefault((code, token), Counter())
        peer = counted_as(address)
        counts[peer if peer in counts or len(counts) < MAX_ADDRESSES else OTHERS] += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self.flush)

    def flush(self) -> None:
        """Record what was counted."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        counted, self._counts = self._counts, {}
        for (code, token), counts in counted.items():
            addresses: dict[str, JsonValue] = dict(counts.most_common(MAX_NAMED))
            others = sum(count for _, count in counts.most_common()[MAX_NAMED:])
            if others:
                addresses[OTHERS] = others
            entry = new_entry(
                "refused",
                at=self._clock(),
                result=code,
                token=token,
                address=next(iter(counts)) if len(counts) == 1 else None,
                details={"count": counts.total(), "addresses": addresses},
            )
            self._audit.record(entry)
