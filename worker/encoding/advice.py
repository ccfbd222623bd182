"""Warnings about encoding that this machine cannot do in time, or has no budget for."""

from collections.abc import Iterable, Mapping

from worker.warnings import Warnings

# Seconds behind the source that an operator should know of, and for how long the warning stays afterwards.
BEHIND_ADVICE_S = 2.0
CALM_S = 10.0
REMEDY = "use fewer or smaller renditions, a faster preset, a hardware encoder or a larger machine"


class EncodingAdvice:
    """``now`` is monotonic seconds."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings
        self._behind_at: float | None = None

    def on_behind(self, behind_s: float, now: float) -> None:
        if behind_s > BEHIND_ADVICE_S:
            self._behind_at = now
            text = (
                "this machine cannot encode the ladder in real time: renditions come late or lose frames until one "
                f"is shed; {REMEDY}"
            )
            self._warnings.report("transcoder-overrun", text, now)
        elif self._behind_at is not None and now - self._behind_at >= CALM_S:
            self._behind_at = None
            self._warnings.clear("transcoder-overrun")

    def on_shed(self, shed: Mapping[str, float], returned: Iterable[str], now: float) -> None:
        """``shed`` has the time since when each rung is shed; ``returned`` are those that have only just returned,
        and may be shed again."""
        parts = [f"{track} is off for {now - since:.0f} s" for track, since in shed.items()]
        parts += [f"{track} has just returned" for track in returned]
        if not parts:
            self._warnings.clear("rungs-shed")
            return
        text = (
            f"this machine cannot encode the ladder in real time: {', '.join(parts)}; renditions return when there "
            f"is room; {REMEDY}"
        )
        self._warnings.report("rungs-shed", text, now)

    def on_left_out(self, tracks: Iterable[str], limit: int | None, now: float) -> None:
        """``tracks`` do not fit into the budget of ``limit`` luma samples per second."""
        names = ", ".join(tracks)
        if not names or limit is None:
            self._warnings.clear("ladder-reduced")
            return
        text = (
            f"there is no room to encode {names}: all renditions of this server may have {limit / 1e6:g} "
            "megapixels per second ([transcoder] max_pixel_rate); they return when other broadcasts end"
        )
        self._warnings.report("ladder-reduced", text, now)
