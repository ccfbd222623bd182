"""Warns if the backup is on air without anyone's choice, or could not take over."""

from dataclasses import dataclass

from media.roles import Role
from worker.warnings import Warnings

ON_AIR, MISSING, SILENT = "backup-on-air", "backup-missing", "standby-silent"
# Seconds: shorter silences pass before anyone could act.
LASTING_S = 3.0


@dataclass(frozen=True, slots=True)
class Places:
    """``standby`` is None without a second publisher; ``silent_s`` are the seconds since it has sent something.
    ``why`` says why the one on air took the other's place, None if it was there first or an operator chose it.
    ``backup_lost``: the backup was connected during this broadcast, and its connection was lost."""

    on_air: Role
    standby: Role | None = None
    silent_s: float = 0.0
    why: str | None = None
    backup_lost: bool = False


class BackupAdvice:
    """Reports to ``warnings``. ``now`` is monotonic seconds."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings

    def review(self, places: Places | None, now: float) -> None:
        """``places`` is None if nobody is on air. Call it about once a second, and after each change."""
        texts = _texts(places) if places is not None else {}
        for code in (ON_AIR, MISSING, SILENT):
            if code in texts:
                self._warnings.report(code, texts[code], now)
            else:
                self._warnings.clear(code)


def _texts(places: Places) -> dict[str, str]:
    """The warnings by code."""
    silent = places.standby is not None and places.silent_s >= LASTING_S
    texts = {}
    if places.on_air is Role.BACKUP and places.why is not None:
        texts[ON_AIR] = f"the backup is on air, because the primary {places.why}: {_remedy(places, silent)}"
    elif silent:
        texts[SILENT] = (
            f"the {places.standby} is connected, but has sent nothing for {places.silent_s:.0f} s, so it cannot "
            "take over: restart its stream; in OBS: Stop Streaming, then Start Streaming"
        )
    if places.on_air is Role.PRIMARY and places.standby is None and places.backup_lost:
        texts[MISSING] = (
            "the backup has lost its connection: if the primary stalls, viewers have no picture; check its encoder "
            "and its network"
        )
    return texts


def _remedy(places: Places, silent: bool) -> str:
    if places.standby is None:
        return "check its encoder and its network"
    if silent:
        return f"it is connected, but has sent nothing for {places.silent_s:.0f} s; restart its stream"
    return "it sends again, and `headwater switch` puts it on air"
