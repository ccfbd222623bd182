"""The ledger of a broadcast: everything that was decided about it, as one value.

Pure: no I/O and no clock. :mod:`worker.ledger.encoding` encodes and decodes it, and
:meth:`BroadcastLedger.interrupt` prepares a decoded ledger for the media that follows.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from media.configs import VideoConfig
from media.timescale import MILLISECONDS, rescale
from media.units import VIDEO_TIMESCALE, Kind
from packager.cmaf.cut import Cut
from packager.cmaf.cutter import AUDIO_MARGIN, longest_segment
from packager.cmaf.segment_writer import Init, Part, Segment
from packager.facts import BroadcastFacts, LowLatency, SegmentEntry
from worker.ledger.entry_log import EntryLog
from worker.ledger.phase import Phase
from worker.ledger.track_ledger import TrackLedger

# The number of newest cuts to keep. A track that lags further behind has already made gaps of older segments.
KEPT_CUTS = 6
# The least duration of an interrupted segment's gap in 90 kHz ticks: players reject segments without duration. A
# returning publisher starts at least this long after the end of the timeline.
SHORTEST_GAP = VIDEO_TIMESCALE // 10


@dataclass(slots=True)
class BroadcastLedger:
    """The state of one broadcast.

    ``zero_ms`` is the Unix time of broadcast time zero, in milliseconds; ``clock_offset_ms`` is the broadcast's
    clock minus the server's; ``end`` is the end of the timeline and
    ``part_ticks`` the duration of parts (None until the tracks are known), both in 90 kHz ticks. ``target_ms`` is
    the intended segment duration and ``longest_ms`` the longest so far. ``sparse``: the source's keyframes are too
    far apart to cut on. ``cuts`` are the newest ones, oldest first.
    """

    stream: str
    broadcast: str
    zero_ms: int
    target_ms: int = 2000
    playlist_window_ms: int = 60_000
    utc_timing_url: str = ""
    clock_offset_ms: int = 0
    longest_ms: int = 0
    phase: Phase = Phase.STARTING
    low_latency: LowLatency | None = None
    part_ticks: int | None = None
    sparse: bool = False
    end: int = 0
    cuts: list[Cut] = field(default_factory=list)
    tracks: dict[str, TrackLedger] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.longest_ms = max(self.longest_ms, self.target_ms)

    @property
    def last_cut(self) -> Cut | None:
        return self.cuts[-1] if self.cuts else None

    @property
    def playable(self) -> bool:
        """Whether the broadcast can be played: while live, once every announced track has media."""
        if self.phase is Phase.ENDED:
            return any(track.entries for track in self.tracks.values())
        return self.phase is Phase.LIVE

    @property
    def fixed_target(self) -> int:
        """The target duration that playlists declare, in 90 kHz ticks; 0 while there is no playlist."""
        return rescale(self.longest_ms, MILLISECONDS, VIDEO_TIMESCALE) if self.playable else 0

    def expect(self, track: str, kind: Kind, *, default: bool = False, label: str = "") -> None:
        """Announce a track. The broadcast is not playable until every announced track has media."""
        if track not in self.tracks:
            entries = EntryLog(2 * self.playlist_window_ms // self.target_ms)
            self.tracks[track] = TrackLedger(track, kind, default, label, self.target_ms, entries=entries)
        self.tracks[track].retired = self.tracks[track].ended = False

    def retire_renditions(self, kept: Collection[str]) -> bool:
        """Retire the video tracks that are not in ``kept``, the tracks of the current source. Without video there,
        nothing is retired. Returns whether that changed anything."""
        video = [track for track in self.tracks.values() if track.kind is Kind.VIDEO]
        if not any(track.track in kept for track in video):
            return False
        retired = [track for track in video if track.track not in kept and not track.retired]
        for track in retired:
            track.retired = True
        return bool(retired)

    def end_tracks(self, tracks: Iterable[str]) -> None:
        """No more media of ``tracks`` follows, although others are not complete."""
        for name in tracks:
            self.tracks[name].ended = True

    def stop_waiting(self) -> bool:
        """Become playable with the tracks that have media; returns whether that changed anything."""
        if self.phase is not Phase.STARTING or not any(track.entries for track in self.tracks.values()):
            return False
        self.phase = Phase.LIVE
        return True

    def add_cut(self, cut: Cut) -> None:
        self.cuts.append(cut)
        del self.cuts[:-KEPT_CUTS]

    def add_init(self, init: Init) -> None:
        self.tracks[init.track].configure(init)

    def add_part(self, part: Part) -> None:
        self.tracks[part.track].fragments += 1

    def add_segment(self, segment: Segment) -> bool:
        """Returns whether the facts changed: the broadcast became playable, a longer segment was made, or the frame
        rate is another."""
        track, entry = self.tracks[segment.track], segment.entry
        rate = track.frame_rate
        track.add(entry, segment.samples)
        longer = self._update_longest(track, entry)
        starts = self.phase is Phase.STARTING and all(track.entries for track in self.tracks.values())
        if starts:
            self.phase = Phase.LIVE
        return longer or starts or track.frame_rate != rate

    def finish(self) -> None:
        """End the broadcast: no more media follows."""
        self.phase = Phase.ENDED

    def interrupt(self) -> dict[str, list[SegmentEntry]]:
        """Close the segments that an interruption left open. A segment that was cut and not completed becomes a gap
        on every track, because players may have seen its number. Returns the gaps by track."""
        cuts = [(cut, following.pts) for cut, following in pairwise(self.cuts)]
        if self.cuts:
            cuts.append((self.cuts[-1], max(self.end, self.cuts[-1].pts + SHORTEST_GAP)))
        return {name: track.add_gaps(cuts, self.zero_ms) for name, track in self.tracks.items()}

    def has_on_all_tracks(self, msn: int) -> bool:
        """Whether every track with media has segment ``msn``: one manifest then serves for all tracks."""
        return all(track.entries[-1].msn >= msn for track in self.tracks.values() if track.entries)

    def is_complete(self, *tracks: TrackLedger) -> bool:
        """Whether the broadcast has ended and every segment of ``tracks`` is resolved. Only then may a stored
        playlist have an end, because the end is final."""
        return self.phase is Phase.ENDED and all(track.resolved == len(track.entries) for track in tracks)

    def listed(self, track: TrackLedger) -> Sequence[SegmentEntry]:
        """The entries that a stored playlist names."""
        if self.phase is Phase.ENDED:
            return track.entries[: track.resolved]
        return track.recent(self.playlist_window_ms)

    def live_facts(self) -> BroadcastFacts:
        """The facts for live windows. They include low latency, because a window can block requests."""
        return self._facts(ended=self.phase is Phase.ENDED, low_latency=self.low_latency)

    def stored_facts(self) -> BroadcastFacts:
        """The facts for stored texts. They have no low latency, because a store cannot block requests."""
        return self._facts(ended=self.is_complete(*self.tracks.values()), low_latency=None)

    def total_bytes(self) -> int:
        return sum(track.total_bytes for track in self.tracks.values())

    def duration_s(self) -> float:
        """Seconds from the first segment's start to the last one's end, on the longest track."""
        return max((track.duration_s() for track in self.tracks.values()), default=0.0)

    def unresolved(self) -> Iterator[tuple[str, SegmentEntry]]:
        """The segments that are neither durable nor lost, with their tracks."""
        for name, track in self.tracks.items():
            for entry in track.unresolved():
                yield name, entry

    def _update_longest(self, track: TrackLedger, entry: SegmentEntry) -> bool:
        config = track.config
        if entry.gap or not isinstance(config, VideoConfig):
            return False
        length = rescale(entry.duration, config.timescale, VIDEO_TIMESCALE)
        if length <= longest_segment(rescale(self.longest_ms, MILLISECONDS, VIDEO_TIMESCALE)):
            return False
        self.longest_ms = rescale(length + AUDIO_MARGIN, VIDEO_TIMESCALE, MILLISECONDS)
        return True

    def _facts(self, *, ended: bool, low_latency: LowLatency | None) -> BroadcastFacts:
        # A track that got its configuration but no segment before the end has no playlist.
        over = self.phase is Phase.ENDED
        all_facts = (track.facts() for track in self.tracks.values() if track.entries or not over)
        return BroadcastFacts(
            tracks=tuple(facts for facts in all_facts if facts is not None),
            availability_start_ms=self.zero_ms,
            ended=ended,
            segment_target_ms=self.longest_ms,
            playlist_window_ms=self.playlist_window_ms,
            utc_timing_url=self.utc_timing_url,
            clock_offset_ms=self.clock_offset_ms,
            low_latency=low_latency,
        )
