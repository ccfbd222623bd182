"""The tracks of a broadcast, all following the same cuts."""

from collections.abc import Callable

from media.configs import AudioConfig
from media.units import AccessUnit
from packager.cmaf.audio_track import AudioTrack
from packager.cmaf.cutter import Cut
from packager.cmaf.segment_writer import SegmentWriter, TrackSink
from packager.cmaf.video_track import VideoTrack
from worker.ledger import BroadcastLedger

# Segments a track may lag behind the source's cuts; older ones become gaps.
LONGEST_LAG = 3


class TrackSet:
    """Tracks are created with the ledger's part duration and time zero, and continue at the end of the ledger's
    tracks. ``unix_ns`` returns Unix nanoseconds."""

    def __init__(self, ledger: BroadcastLedger, sink: TrackSink, *, unix_ns: Callable[[], int]) -> None:
        self._ledger = ledger
        self._sink = sink
        self._unix_ns = unix_ns
        self._videos: dict[str, VideoTrack] = {}
        self._audios: dict[str, AudioTrack] = {}
        # Segments cut before an interruption are closed: tracks that are created now may not fill them.
        self._closed_msn = ledger.last_cut.msn if ledger.last_cut is not None else 0

    def __bool__(self) -> bool:
        return bool(self._videos or self._audios)

    def video(self, name: str) -> VideoTrack:
        """The video track ``name``, created at the first call."""
        if name not in self._videos:
            self._videos[name] = VideoTrack(self._writer(name), part_target=self._part_target)
        return self._videos[name]

    def configure_audio(self, name: str, config: AudioConfig, *, silence_after: int) -> None:
        """Create the audio track ``name`` or change its configuration."""
        if name in self._audios:
            self._audios[name].configure(config)
            return
        self._audios[name] = AudioTrack(
            self._writer(name), config, part_target=self._part_target, silence_after=silence_after
        )

    def configure_late_audio(self, name: str, config: AudioConfig, *, silence_after: int) -> None:
        """Like :meth:`configure_audio`, for an encoder's track: its first units belong to earlier cuts."""
        is_new = name not in self._audios
        self.configure_audio(name, config, silence_after=silence_after)
        if is_new:
            for cut in self._ledger.cuts:
                if cut.msn > self._closed_msn:
                    self._audios[name].cut(cut)

    def add_video(self, name: str, unit: AccessUnit) -> None:
        self._videos[name].add(unit, self._unix_ns())

    def add_audio(self, name: str, unit: AccessUnit, *, alone: bool) -> None:
        """``alone``: the source has no video, so the audio does not wait for it."""
        track = self._audios[name]
        track.add(unit, self._unix_ns())
        if alone:
            track.advance(None)

    def advance(self, pts: int) -> None:
        """The source's video has reached ``pts`` (90 kHz ticks)."""
        for track in self._audios.values():
            track.advance(pts)

    def cut(self, cut: Cut) -> None:
        self._ledger.add_cut(cut)
        for track in self._all():
            track.cut(cut)
            track.expire(cut.msn - LONGEST_LAG)

    def discontinue(self) -> None:
        """The units that follow belong to the timeline of the next discontinuity."""
        for track in self._audios.values():
            track.discontinue()

    def discontinue_at_hole(self, start: int, end: int) -> None:
        """The source's video has a hole from ``start`` to ``end`` (90 kHz ticks). Audio that goes on is kept."""
        for track in self._audios.values():
            track.discontinue_at_hole(start, end)

    def close(self) -> None:
        """Complete every open segment."""
        for track in self._all():
            track.close()

    def _all(self) -> tuple[VideoTrack | AudioTrack, ...]:
        return (*self._videos.values(), *self._audios.values())

    @property
    def _part_target(self) -> int:
        assert self._ledger.part_ticks is not None, "the part duration must be set before a track is created"
        return self._ledger.part_ticks

    def _writer(self, name: str) -> SegmentWriter:
        ledger = self._ledger.tracks.get(name)
        resume = ledger.resume_point() if ledger is not None else None
        return SegmentWriter(name, self._sink, self._ledger.zero_ms, resume=resume)
