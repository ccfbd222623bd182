"""Turns problems of a broadcast into warnings that its broadcaster or operator can act on."""

from ingest.track_start import TimingProblem
from storage.interface import StorageError
from worker.media_advice import MediaAdvice
from worker.warnings import Warnings

# Seconds between keyframes above which viewers wait too long.
KEYFRAME_ADVICE_S = 4.5


class Advice:
    """Raises and clears the warnings of one broadcast. ``now`` is monotonic seconds."""

    def __init__(self) -> None:
        self.warnings = Warnings()
        self.media = MediaAdvice(self.warnings)

    def on_keyframe_interval(self, interval_s: float | None, now: float, *, encodes_top: bool) -> None:
        if interval_s is None or interval_s <= KEYFRAME_ADVICE_S:
            self.warnings.clear("keyframe-interval")
            return
        text = f"keyframe every {interval_s:.1f} s: set Keyframe Interval to 2 s in OBS, Settings, Output"
        if encodes_top:
            text += "; until then the top rendition is re-encoded, because viewers cannot join between keyframes"
        self.warnings.report("keyframe-interval", text, now)

    def on_timing(self, problem: TimingProblem, now: float) -> None:
        """The warning stays until the publisher leaves."""
        self.warnings.report(problem.code, problem.text, now)

    def on_new_publisher(self) -> None:
        for code in ("tracks-apart", "video-timestamps-still", "audio-timestamps-still"):
            self.warnings.clear(code)

    def on_store(self, error: StorageError | None, now: float) -> None:
        if error is None:
            self.warnings.clear("store")
        else:
            self.warnings.report("store", f"the store does not take uploads: {error}", now)

    def on_transcoder_died(self, reason: str, now: float) -> None:
        self.warnings.report("transcoder-died", f"the transcoder died and restarts: {reason}", now)

    def on_overrun_started(self, now: float) -> None:
        text = (
            "this machine cannot encode the ladder in real time: renditions lose frames; use fewer or smaller "
            "renditions, a faster preset or a hardware encoder"
        )
        self.warnings.report("transcoder-overrun", text, now)

    def on_overrun_ended(self) -> None:
        self.warnings.clear("transcoder-overrun")
