"""One publisher's connection on the broadcast's timeline.

Units wait until the source's tracks are known and a few frames have shown its frame rate. Then the source joins the
broadcast at a base time, and each unit is placed at the base plus its own time. Video is snapped to the frame grid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeGuard

from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.errors import TooMuchMedia
from media.timescale import rescale
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.bitrate import TrackBitrate
from packager.cmaf.frame_clock import FrameClock
from worker.rates import confirmed_rate, exact_rate
from worker.start_gate import LONGEST_WAIT_MS, StartGate

MAX_WAITING_UNITS = 512
# The frames that show whether a source has the frame rate that it declares.
MEASURED_FRAMES = 4
# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
VIDEO, AUDIO = Kind.VIDEO, Kind.AUDIO


@dataclass(frozen=True, slots=True)
class Announcement:
    """The frame rate and video bit rate that onMetaData announces, if it does."""

    frame_rate: Fraction | None = None
    bitrate: TrackBitrate | None = None


@dataclass(frozen=True, slots=True)
class SourceStart:
    """The first unit of a source that has been sending before.

    ``dts`` is its decoding time in the publisher's media (90 kHz ticks), ``arrived`` the monotonic time of its
    arrival in seconds. None stands for the next unit's.
    """

    dts: int | None = None
    arrived: float | None = None


class SourceTimeline:
    """``announcement`` is the previous publisher's; it applies until this one sends its own. ``max_bytes`` limits
    the units that wait.

    The source begins at ``origin`` of the publisher's media (90 kHz ticks). ``first_ns`` is the Unix time of its
    first unit in nanoseconds. None stands for the next unit's.
    """

    def __init__(
        self,
        announcement: Announcement | None = None,
        *,
        max_bytes: int,
        origin: int | None = 0,
        first_ns: int | None = None,
    ) -> None:
        self.announcement = announcement or Announcement()
        self.joined = False
        self.base = 0
        self.first_ns = first_ns
        self._origin = origin
        self._gate = StartGate()
        self._waiting: list[AccessUnit] = []
        self._waiting_bytes = 0
        self._max_bytes = max_bytes
        self._audio_base = 0
        self._frame_clock: FrameClock | None = None

    @property
    def video(self) -> VideoConfig | None:
        return self._gate.video

    @property
    def audio(self) -> AudioConfig | None:
        return self._gate.audio

    @property
    def expects_video(self) -> bool:
        return self._gate.expects_video

    @property
    def expects_audio(self) -> bool:
        return self._gate.expects_audio

    @property
    def waiting(self) -> int:
        """The number of units that wait."""
        return len(self._waiting)

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        self._gate.on_metadata(metadata)
        rate, kilobits = metadata.get("framerate"), metadata.get("videodatarate")
        frame_rate, bitrate = self.announcement.frame_rate, self.announcement.bitrate
        if _is_number(rate) and 1 <= rate <= 240:
            frame_rate = exact_rate(float(rate))
        if _is_number(kilobits) and 1 <= kilobits <= 1_000_000:
            bitrate = TrackBitrate(max_bps=round(kilobits * 1000), avg_bps=round(kilobits * 1000))
        self.announcement = Announcement(frame_rate, bitrate)

    def on_config(self, config: TrackConfig) -> None:
        """Take the source's configuration, the first or a changed one."""
        if isinstance(config, VideoConfig):
            self._gate.video = config
        else:
            self._gate.audio = config

    def wait(self, unit: AccessUnit, now_ns: int) -> bool:
        """Keep a unit that arrives before the source joins; returns whether the source can join now. ``now_ns`` is
        Unix time in nanoseconds. Raises TooMuchMedia."""
        if self.first_ns is None:
            self.first_ns = now_ns
        self._waiting_bytes += len(unit.payload)
        if self._waiting_bytes > self._max_bytes:
            raise too_much_media("before the broadcast began", self._max_bytes)
        self._waiting.append(unit)
        audio_rate = self.audio.sample_rate if self.audio is not None else VIDEO_TIMESCALE
        scale = VIDEO_TIMESCALE if unit.kind is VIDEO else audio_rate
        if self._origin is None:
            self._origin = rescale(unit.dts, scale, VIDEO_TIMESCALE)
        waited_ms = (unit.dts - rescale(self._origin, VIDEO_TIMESCALE, scale)) * 1000 // scale
        if len(self._waiting) > MAX_WAITING_UNITS:
            return True
        return self._gate.opens(waited_ms) and (waited_ms >= LONGEST_WAIT_MS or self._has_measurable_video())

    def join(self, base: int) -> None:
        """Place the source's beginning at ``base`` (90 kHz ticks) on the broadcast's timeline."""
        self.joined, self.base = True, base - (self._origin or 0)

    def take_waiting(self) -> list[AccessUnit]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def set_video(self, video: VideoConfig) -> Fraction | None:
        """Start a frame grid for ``video``; returns its frame rate, or None if it is unknown. The declared rate is
        a hint: the frames that still wait confirm or correct it."""
        times = [unit.dts for unit in self._waiting if unit.kind is VIDEO]
        rate = confirmed_rate(self.announcement.frame_rate or video.frame_rate, times)
        after = self._frame_clock.last if self._frame_clock is not None else None
        self._frame_clock = FrameClock(rate, after=after) if rate else None
        return rate

    def _has_measurable_video(self) -> bool:
        if self.video is None:
            return True
        return sum(unit.kind is VIDEO for unit in self._waiting) >= MEASURED_FRAMES

    def set_audio(self, audio: AudioConfig) -> None:
        self._audio_base = rescale(self.base, VIDEO_TIMESCALE, audio.sample_rate)

    def place_video(self, unit: AccessUnit) -> AccessUnit:
        _, dts, cts, key, payload, _ = unit
        if self._frame_clock is not None:
            dts, cts = self._frame_clock.snap(dts, cts)
        return AccessUnit(VIDEO, dts + self.base, cts, key, payload)

    def place_audio(self, unit: AccessUnit) -> AccessUnit:
        base = self._audio_base
        return AccessUnit(AUDIO, base + unit.dts, 0, True, unit.payload) if base else unit


def too_much_media(when: str, max_bytes: int) -> TooMuchMedia:
    return TooMuchMedia(
        f"more than {max_bytes >> 20} MiB of media arrived {when}: lower the bitrate, and set the keyframe "
        "interval to 2 s (in OBS: Settings, Output); if that does not help, restart the encoder"
    )


def _is_number(value: object) -> TypeGuard[int | float]:
    """AMF0 has booleans too, and Python counts True as 1."""
    return isinstance(value, int | float) and not isinstance(value, bool)
