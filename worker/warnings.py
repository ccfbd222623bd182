"""The current warnings of a broadcast."""

from live.status import WarningStatus


class Warnings:
    """Warnings by code; each keeps the time it was first seen. ``now`` is monotonic seconds."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, float]] = {}

    def report(self, code: str, text: str, now: float) -> None:
        since = self._seen[code][1] if code in self._seen else now
        self._seen[code] = (text, since)

    def clear(self, code: str) -> None:
        self._seen.pop(code, None)

    def status(self, now: float) -> tuple[WarningStatus, ...]:
        return tuple(
            WarningStatus(code=code, text=text, since_s=round(now - since, 1))
            for code, (text, since) in self._seen.items()
        )
