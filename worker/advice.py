"""Turns problems of a broadcast into warnings that its broadcaster or operator can act on."""

from ingest.track_start import TimingProblem
from media.timescale import MILLISECONDS
from storage.interface import StorageError
from worker.arrival_advice import ArrivalAdvice
from worker.encoding.advice import EncodingAdvice
from worker.media_advice import MediaAdvice
from worker.picture_advice import PictureAdvice
from worker.warnings import Warnings

# Seconds between keyframes above which viewers wait too long.
KEYFRAME_ADVICE_S = 4.5
# Seconds after which an upload that is not done shows that the store hangs or is too slow.
STORE_ADVICE_S = 4.0
# Milliseconds between media and clock that an operator should know of.
CLOCK_ADVICE_MS = 2000


class Advice:
    """Raises and clears the warnings of one broadcast. ``now`` is monotonic seconds."""

    def __init__(self) -> None:
        self.warnings = Warnings()
        self.media = MediaAdvice(self.warnings)
        self.arrivals = ArrivalAdvice(self.warnings)
        self.picture = PictureAdvice(self.warnings)
        self.encoding = EncodingAdvice(self.warnings)

    def on_keyframe_interval(
        self, interval_s: float | None, since_s: float | None, now: float, *, encodes_top: bool
    ) -> None:
        """``since_s`` is the age of the newest keyframe."""
        if since_s is not None and since_s > max(KEYFRAME_ADVICE_S, interval_s or 0):
            text = f"no keyframe for {since_s:.0f} s"
        elif interval_s is not None and interval_s > KEYFRAME_ADVICE_S:
            text = f"keyframe every {interval_s:.1f} s"
        else:
            self.warnings.clear("keyframe-interval")
            return
        text += ": set Keyframe Interval to 2 s in OBS, Settings, Output"
        if encodes_top:
            text += "; until then the top rendition is re-encoded, because viewers cannot join between keyframes"
        self.warnings.report("keyframe-interval", text, now)

    def on_timing(self, problem: TimingProblem, now: float) -> None:
        """The warning stays until the publisher leaves."""
        self.warnings.report(problem.code, problem.text, now)

    def on_media_clock(self, offset_ms: int, step_ms: int, now: float) -> None:
        """``offset_ms`` is the broadcast's clock minus the server's; ``step_ms`` is how much of it comes from
        setting the server's clock."""
        drift_ms = offset_ms + step_ms
        if abs(step_ms) >= CLOCK_ADVICE_MS:
            text = (
                f"the server's clock was set by {step_ms / MILLISECONDS:+.1f} s during the broadcast: its dates go "
                "on as before; stop and start the stream in OBS to use the new time"
            )
            self.warnings.report("clock-set", text, now)
        if abs(drift_ms) < CLOCK_ADVICE_MS:
            self.warnings.clear("clock-drift")
            return
        relation = "behind" if drift_ms < 0 else "ahead of"
        text = (
            f"the media is {abs(drift_ms) / MILLISECONDS:.1f} s {relation} the server's clock, and players follow "
            "it: the encoder's clock is wrong, or its network holds the media up; stop and start the stream in OBS "
            "to begin on time"
        )
        self.warnings.report("clock-drift", text, now)

    def on_new_publisher(self) -> None:
        self.media.restart()
        for code in ("tracks-apart", "video-timestamps-still", "audio-timestamps-still", "timestamp-speed"):
            self.warnings.clear(code)

    def on_store(self, error: StorageError | None, oldest_s: float, now: float) -> None:
        """``oldest_s`` is the age of the oldest upload in seconds."""
        if error is not None:
            self.warnings.report("store", f"the store does not take uploads: {error}", now)
        elif oldest_s >= STORE_ADVICE_S:
            text = f"the store has not taken an upload for {oldest_s:.0f} s: check its health and its network"
            self.warnings.report("store", text, now)
        else:
            self.warnings.clear("store")

    def on_transcoder_died(self, reason: str, now: float) -> None:
        text = f"the transcoder is restarted, and its renditions have gaps: {reason}"
        self.warnings.report("transcoder-died", text, now)
