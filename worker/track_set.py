"""The tracks of a broadcast, all following the same cuts."""

from collections import deque
from collections.abc import Callable

from media.configs import AudioConfig
from media.units import AccessUnit
from packager.cmaf.audio_track import AudioTrack
from packager.cmaf.cutter import Cut
from packager.cmaf.segment_writer import SegmentWriter, TrackSink
from packager.cmaf.video_track import VideoTrack

# Segments a track may lag behind the source's cuts before they are given up as gaps.
LONGEST_LAG = 3


class TrackSet:
    """``part_target`` (90 kHz) and ``zero_ms`` (Unix time of broadcast time zero) hold for tracks made from then
    on; ``unix_ns`` tells the time units are received."""

    def __init__(self, sink: TrackSink, *, part_target: int, zero_ms: int, unix_ns: Callable[[], int]) -> None:
        self.part_target = part_target
        self.zero_ms = zero_ms
        self._sink = sink
        self._unix_ns = unix_ns
        self._videos: dict[str, VideoTrack] = {}
        self._audios: dict[str, AudioTrack] = {}
        self._recent: deque[Cut] = deque(maxlen=2 * LONGEST_LAG)

    def __bool__(self) -> bool:
        return bool(self._videos or self._audios)

    def video(self, name: str) -> VideoTrack:
        """The video track ``name``, made where there is none."""
        if name not in self._videos:
            self._videos[name] = VideoTrack(self._writer(name), part_target=self.part_target)
        return self._videos[name]

    def configure_audio(self, name: str, config: AudioConfig, *, silence_after: int, late: bool = False) -> None:
        """Make the audio track ``name``, or tell it of a changed configuration. One that comes ``late``, behind the
        cuts that its units belong to, is told of those."""
        if name in self._audios:
            self._audios[name].configure(config)
            return
        track = self._audios[name] = AudioTrack(
            self._writer(name), config, part_target=self.part_target, silence_after=silence_after
        )
        for cut in self._recent if late else ():
            track.cut(cut)

    def add_video(self, name: str, unit: AccessUnit) -> None:
        self._videos[name].add(unit, self._unix_ns())

    def add_audio(self, name: str, unit: AccessUnit, *, alone: bool) -> None:
        """``alone``: there is no video that the audio would have to wait for."""
        track = self._audios[name]
        track.add(unit, self._unix_ns())
        if alone:
            track.advance(None)

    def advance(self, pts: int) -> None:
        """The source's video has come to ``pts`` (90 kHz)."""
        for track in self._audios.values():
            track.advance(pts)

    def cut(self, cut: Cut) -> None:
        self._recent.append(cut)
        for track in self._all():
            track.cut(cut)
            track.expire(cut.msn - LONGEST_LAG)

    def discontinue(self) -> None:
        """The units from here on belong to the timeline that begins at the next discontinuity."""
        for track in self._audios.values():
            track.discontinue()

    def close(self) -> None:
        """Complete every open segment."""
        for track in self._all():
            track.close()

    def _all(self) -> tuple[VideoTrack | AudioTrack, ...]:
        return (*self._videos.values(), *self._audios.values())

    def _writer(self, name: str) -> SegmentWriter:
        return SegmentWriter(name, self._sink, self.zero_ms)
