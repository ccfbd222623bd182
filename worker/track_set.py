"""The tracks of a broadcast, all following the same cuts."""

from collections.abc import Callable, Container, Iterable

from media.configs import AudioConfig, VideoConfig
from media.units import AccessUnit
from packager.cmaf.audio_track import AudioTrack
from packager.cmaf.cut import Cut
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
        # The video tracks whose encoder died, until the next one starts.
        self._abandoned: frozenset[str] = frozenset()
        # The video tracks that are not encoded, until they are resumed.
        self._stopped: set[str] = set()
        # The expected end of the segment that the newest cut begins (90 kHz ticks).
        self._expected_end = 0
        # Segments cut before an interruption are closed: tracks that are created now may not fill them.
        self._closed_msn = ledger.last_cut.msn if ledger.last_cut is not None else 0

    def __bool__(self) -> bool:
        return bool(self._videos or self._audios)

    def video(self, name: str) -> VideoTrack:
        """The video track ``name``, created at the first call."""
        if name not in self._videos:
            self._videos[name] = VideoTrack(self._writer(name), part_target=self._part_target)
        return self._videos[name]

    def configure_audio(
        self, name: str, config: AudioConfig, *, silence_after: int, on_late: Callable[[], None] = lambda: None
    ) -> None:
        """Create the audio track ``name`` or change its configuration. ``on_late`` is called for each unit that
        arrives too late."""
        if name in self._audios:
            self._audios[name].configure(config)
            return
        self._audios[name] = AudioTrack(
            self._writer(name),
            config,
            part_target=self._part_target,
            silence_after=silence_after,
            on_late=on_late,
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

    @property
    def has_silence(self) -> bool:
        """Whether silence can be written to every audio track."""
        return all(track.has_silence for track in self._audios.values())

    def show_slate(self, name: str, config: VideoConfig) -> None:
        """The units of the video track ``name`` have ``config`` from the next discontinuity on, until
        :meth:`end_slate`."""
        self.video(name).show_slate(config)

    def end_slate(self) -> None:
        for track in self._videos.values():
            track.show_slate(None)

    def add_silence(self, until: int) -> None:
        """Write silence to the audio tracks up to ``until`` (90 kHz ticks)."""
        for track in self._audios.values():
            track.add_silence(until)

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
        for name in self._abandoned:
            self._videos[name].show_still(pts)

    def cut(self, cut: Cut, expected_end: int, *, encoding: bool) -> None:
        """``expected_end`` is the end of the segment (90 kHz ticks) if it lasts as long as others. ``encoding``: an
        encoder runs, or starts with this segment."""
        self._ledger.add_cut(cut)
        self._expected_end = expected_end
        for track in self._all():
            track.cut(cut)
            track.expire(cut.msn - LONGEST_LAG)
        for name in self._abandoned:
            self._videos[name].show_still(cut.pts)
        self._skip(cut.msn - 1 if encoding else cut.msn)
        if encoding:
            self._abandoned = frozenset()
        for name in self._stopped:
            self._videos[name].expire(cut.msn, self._expected_end)

    def abandon(self, names: Iterable[str]) -> None:
        """The encoder of the video tracks ``names`` died. Their open segments show a still picture to the end; the
        next ones are gaps at once, so that players switch."""
        self._abandoned = frozenset(names).intersection(self._videos) - self._stopped
        if self._ledger.last_cut is not None:
            self._skip(self._ledger.last_cut.msn)

    def stop(self, name: str) -> None:
        """No more units of the video track ``name`` come: its segments are gaps from the first cut on that it has
        not reached."""
        track = self.video(name)
        self._stopped.add(name)
        if self._ledger.last_cut is not None:
            track.expire(self._ledger.last_cut.msn, self._expected_end)

    def resume(self, name: str) -> None:
        """Expect units of the video track ``name`` again, from the next cut on."""
        self._stopped.discard(name)

    def discontinue(self) -> None:
        """The units that follow belong to the timeline of the next discontinuity."""
        for track in self._audios.values():
            track.discontinue()

    def discontinue_at_hole(self, start: int, end: int) -> None:
        """The source's video has a hole from ``start`` to ``end`` (90 kHz ticks). Audio that goes on is kept."""
        for track in self._audios.values():
            track.discontinue_at_hole(start, end)

    def close(self, end: int, names: Container[str] | None = None) -> None:
        """Complete the open segments of the tracks ``names``, or of all. ``end`` is where they end at the latest
        (90 kHz ticks)."""
        for name, video in self._videos.items():
            if names is None or name in names:
                video.close()
        for name, audio in self._audios.items():
            if names is None or name in names:
                audio.close(end)

    def _skip(self, msn: int) -> None:
        """Turn the segments of abandoned tracks up to ``msn`` into gaps, unless they are open."""
        for name in self._abandoned:
            self._videos[name].expire(msn, self._expected_end)

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
