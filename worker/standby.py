"""The media of a publisher on standby, kept since its newest keyframe, so that a switch shows a picture at once.

The other encoder has shown the beginning of these pictures already. Viewers therefore see up to ``LONGEST`` of the
programme twice, and the media runs ahead of the clock by as much; the broadcast's clock follows it. To wait for the
next keyframe instead would leave viewers without media for longer than it takes to notice a stall.
"""

from collections.abc import Callable, Mapping

from ingest.track_start import TimingProblem
from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.timescale import rescale
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from worker.source_timeline import SourceStart

# 90 kHz ticks since the keyframe. If keyframes are further apart, a switch may have to wait for the next one. More
# would overflow the transcoder's queue, and the media would run so far ahead that the operator is warned.
LONGEST = 3 * VIDEO_TIMESCALE
# Timestamps may stand still, so time alone is no bound.
MAX_UNITS = 1500
VIDEO, AUDIO = Kind.VIDEO, Kind.AUDIO


def ignore_start() -> None:
    pass


class Standby:
    """A :class:`worker.publisher_session.MediaReceiver`. ``clock`` returns monotonic seconds.

    ``arrived`` counts the units. ``on_start`` is called after each unit at which a broadcast can begin.
    """

    def __init__(self, *, max_bytes: int, clock: Callable[[], float]) -> None:
        self.arrived = 0
        self.on_start: Callable[[], None] = ignore_start
        self._max_bytes = max_bytes
        self._clock = clock
        self._has_video = False
        self._audio_rate = VIDEO_TIMESCALE
        # The decoding time of the first unit (90 kHz ticks), and the monotonic time of its arrival in seconds.
        self._first, self._first_at = 0, 0.0
        self._units: list[AccessUnit] = []
        self._bytes = 0

    @property
    def start(self) -> SourceStart | None:
        """Where a broadcast can begin now; None before a keyframe."""
        return SourceStart(self._first, self._first_at) if self._units else None

    def take(self) -> list[AccessUnit]:
        """The units since :attr:`start`. None are kept."""
        units = self._units
        self.clear()
        return units

    def clear(self) -> None:
        self._units, self._bytes = [], 0

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        pass

    def on_config(self, config: TrackConfig) -> None:
        """What was kept has another configuration."""
        self.clear()
        if isinstance(config, VideoConfig):
            self._has_video = True
        elif isinstance(config, AudioConfig):
            self._audio_rate = config.sample_rate

    def on_unit(self, unit: AccessUnit) -> None:
        if unit.track or unit.kind not in (VIDEO, AUDIO):
            return
        self.arrived += 1
        if unit.key if unit.kind is VIDEO else not self._has_video:
            self._begin(unit)
            self.on_start()
        elif self._units:
            self._keep(unit)

    def on_timing(self, problem: TimingProblem) -> None:
        pass

    def on_dropped(self, reason: str) -> None:
        pass

    def on_repaired(self, reason: str) -> None:
        pass

    def _begin(self, unit: AccessUnit) -> None:
        """Keep ``unit``, and sound that has arrived before it but belongs to the time after it."""
        first, self._first_at = self._time_of(unit), self._clock()
        ahead = [kept for kept in self._units if kept.kind is AUDIO and self._time_of(kept) >= first]
        self._first = first
        self._units = [unit, *ahead]
        self._bytes = sum(len(kept.payload) for kept in self._units)

    def _keep(self, unit: AccessUnit) -> None:
        time = self._time_of(unit)
        if unit.kind is AUDIO and time < self._first:
            return
        self._units.append(unit)
        self._bytes += len(unit.payload)
        if self._bytes > self._max_bytes or len(self._units) > MAX_UNITS or time - self._first > LONGEST:
            self.clear()

    def _time_of(self, unit: AccessUnit) -> int:
        """The decoding time in 90 kHz ticks."""
        return unit.dts if unit.kind is VIDEO else rescale(unit.dts, self._audio_rate, VIDEO_TIMESCALE)
