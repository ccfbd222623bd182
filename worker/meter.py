"""Measures a source: bit rate, frame rate, keyframe interval. ``now`` is monotonic seconds."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from live.status import Sample
from media.units import VIDEO_TIMESCALE, AccessUnit

WINDOW_S = 5
HISTORY_S = 300


@dataclass(frozen=True, slots=True)
class Second:
    """What arrived in ``elapsed`` seconds: bytes of video and audio, and video frames."""

    elapsed: float
    video: int
    audio: int
    frames: int


class SourceMeter:
    """Counts units as they arrive and closes a sample each second."""

    def __init__(self) -> None:
        # Totals of the broadcast, and what they were at the last tick.
        self.video_bytes = 0
        self.audio_bytes = 0
        self._video_bytes = 0
        self._audio_bytes = 0
        self._frames = 0
        self._last_key: int | None = None
        self._newest: int | None = None
        # Totals of the broadcast.
        self.frames = 0
        self.sounds = 0
        self._seconds: deque[Second] = deque(maxlen=WINDOW_S)
        self._since: float | None = None
        self.keyframe_interval_s: float | None = None
        self.history: deque[Sample] = deque(maxlen=HISTORY_S)

    def add_video(self, unit: AccessUnit) -> None:
        self.video_bytes += len(unit.payload)
        self._frames += 1
        self.frames += 1
        self._newest = unit.dts
        if unit.key:
            if self._last_key is not None and unit.dts > self._last_key:
                self.keyframe_interval_s = (unit.dts - self._last_key) / VIDEO_TIMESCALE
            self._last_key = unit.dts

    def add_audio(self, unit: AccessUnit) -> None:
        self.audio_bytes += len(unit.payload)
        self.sounds += 1

    def restart(self) -> None:
        """A publisher returned: measure no keyframe interval across the interruption."""
        self._last_key = self._newest = None

    @property
    def video_s(self) -> float:
        """The newest frame's time in the publisher's media."""
        return (self._newest or 0) / VIDEO_TIMESCALE

    @property
    def since_keyframe_s(self) -> float | None:
        """The age of the newest keyframe relative to the newest frame; None before the first keyframe."""
        if self._last_key is None or self._newest is None:
            return None
        return (self._newest - self._last_key) / VIDEO_TIMESCALE

    def tick(self, now: float, unix: float) -> None:
        """Close the current sample. Call it about once a second; ``unix`` is Unix seconds."""
        if self._since is not None and now > self._since:
            elapsed = now - self._since
            video, audio = self.video_bytes - self._video_bytes, self.audio_bytes - self._audio_bytes
            self._seconds.append(Second(elapsed, video, audio, self._frames))
            rate = round((video + audio) * 8 / elapsed)
            self.history.append(Sample(at=unix, bitrate_bps=rate, fps=round(self._frames / elapsed, 1)))
        self._since = now
        self._video_bytes, self._audio_bytes, self._frames = self.video_bytes, self.audio_bytes, 0

    @property
    def bitrate_bps(self) -> int:
        return self._per_second(lambda second: (second.video + second.audio) * 8)

    @property
    def audio_bitrate_bps(self) -> int:
        return self._per_second(lambda second: second.audio * 8)

    @property
    def fps(self) -> float:
        total = sum(second.elapsed for second in self._seconds)
        return round(sum(second.frames for second in self._seconds) / total, 2) if total else 0.0

    def _per_second(self, bits: Callable[[Second], int]) -> int:
        total = sum(second.elapsed for second in self._seconds)
        return round(sum(bits(second) for second in self._seconds) / total) if total else 0
