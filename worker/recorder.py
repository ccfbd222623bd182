"""The recorder: what tracks write goes onto the bus at once, and into the store in order.

Rule 1 of the design is kept here: a stored playlist is rendered at the moment it is put, from nothing but segments
that are durable by then, and it never takes back what it said.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from live.bus_interface import Bus
from live.messages import (
    BroadcastChanged,
    BroadcastClosed,
    LiveMessage,
    SegmentStored,
    WindowMoved,
    subject,
)
from media.configs import VideoConfig
from media.names import (
    MANIFEST,
    MASTER_PLAYLIST,
    MEDIA_PLAYLIST,
    broadcast_prefix,
    init_name,
    segment_name,
    stream_prefix,
    track_prefix,
)
from media.units import Kind
from packager import dash, hls
from packager.cmaf.segment_writer import Init, Part, Segment
from packager.dash.build import dash_presentation
from packager.facts import BroadcastFacts, LowLatency, SegmentEntry
from packager.hls.build import SegmentMemo, media_playlist, multivariant_playlist
from storage.content import cache_control, content_type
from storage.interface import ObjectStore, StorageError
from storage.uploads import UploadQueue
from worker.ledger.entry_log import EntryLog
from worker.ledger.track import TrackIndex

log = structlog.get_logger("packager")


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    """Durations in milliseconds; ``dvr_ms`` None keeps the whole broadcast in the store."""

    segment_target_ms: int = 2000
    playlist_window_ms: int = 60_000
    dvr_ms: int | None = None
    utc_timing_url: str = ""
    upload_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Presented:
    """A manifest's content and what it was made of: it is written to two places."""

    of: tuple[BroadcastFacts, Mapping[str, Sequence[SegmentEntry]]]
    presentation: dash.Presentation


class RecorderObserver(Protocol):
    """Who counts what a broadcast made and lost."""

    def segment_made(self, track: str, entry: SegmentEntry) -> None: ...

    def segment_lost(self, track: str, error: StorageError | None) -> None: ...


class Recorder:
    """A :class:`~packager.cmaf.segment_writer.TrackSink` for all tracks of one broadcast.

    ``zero_ms`` is the Unix time, in milliseconds, of broadcast time zero, as far as it is known before
    :meth:`begin`; ``clock`` tells Unix seconds.
    """

    def __init__(
        self,
        stream: str,
        broadcast: str,
        *,
        bus: Bus,
        store: ObjectStore,
        observer: RecorderObserver,
        zero_ms: int,
        clock: Callable[[], float],
        options: RecorderOptions,
    ) -> None:
        self.stream = stream
        self.broadcast = broadcast
        self._bus = bus
        self._store = store
        self._observer = observer
        self._zero_ms = zero_ms
        self._clock = clock
        self._options = options
        self._subject = subject(stream, broadcast)
        self._tracks: dict[str, TrackIndex] = {}
        self._ready = False
        self._ended = False
        self._superseded = False
        self._low_latency: LowLatency | None = None
        self._longest_ms = options.segment_target_ms
        self._published_bps: dict[str, int] = {}
        self._memos: defaultdict[str, SegmentMemo] = defaultdict(SegmentMemo)
        self._presented: Presented | None = None
        self._segments_by_key: dict[str, tuple[str, int]] = {}
        self._doomed: deque[str] = deque()
        self._deleting: asyncio.Task[None] | None = None
        self.store_trouble: StorageError | None = None
        self.uploads = UploadQueue(
            store,
            max_bytes=options.upload_bytes,
            on_stored=self._stored,
            on_lost=self._lost,
            on_trouble=self._note_trouble,
        )

    def begin(self, zero_ms: int) -> None:
        """The first frame has come: broadcast time zero was at ``zero_ms``."""
        self._zero_ms = zero_ms

    def go_low_latency(self, low_latency: LowLatency) -> None:
        """Live playlists carry parts from the start; stored ones, which nobody can wait for, never do."""
        self._low_latency = low_latency

    def expect(self, track: str, kind: Kind, *, default: bool = False, label: str = "") -> None:
        """Announce a track; until every announced one has media, the broadcast is not ready."""
        if track not in self._tracks:
            options = self._options
            entries = EntryLog(2 * options.playlist_window_ms // options.segment_target_ms)
            self._tracks[track] = TrackIndex(
                track, kind, default, label, options.segment_target_ms, entries=entries
            )
        self._publish_facts()

    def give_up_waiting(self) -> None:
        """Be ready with the tracks there are."""
        if not self._ready and any(index.entries for index in self._tracks.values()):
            self._ready = True
            self._publish_facts()

    @property
    def ready(self) -> bool:
        return self._ready

    @property
    def tracks(self) -> dict[str, TrackIndex]:
        return self._tracks

    def on_init(self, init: Init) -> None:
        self._tracks[init.track].configure(init)
        self._put_media(self._key(init.track, init_name(init.number)), init.data, required=True)
        self._publish(init)
        self._publish_facts()

    def on_part(self, part: Part) -> None:
        self._publish(part)

    def on_segment(self, segment: Segment) -> None:
        index, entry = self._tracks[segment.track], segment.entry
        index.add(entry)
        self._publish(segment)
        self._observer.segment_made(segment.track, entry)
        if not entry.gap:
            key = self._key(segment.track, segment_name(entry.msn))
            self._segments_by_key[key] = (segment.track, entry.msn)
            self._put_media(key, segment.data)
        self._review(index, entry)
        self._put_playlist(index)
        if self._ready and self._has_on_all_tracks(entry.msn):
            self._put_manifests()
        if self._options.dvr_ms is not None:
            self._forget(index, self._options.dvr_ms)

    async def finish(self, timeout: float) -> bool:
        """After the tracks are closed: end the playlists, and wait for the store. False: not all is durable."""
        self._ended = True
        self._ready = any(index.entries for index in self._tracks.values())
        self._publish_facts()
        for index in self._tracks.values():
            if index.config is not None:
                self._put_playlist(index)
        self._put_manifests()
        drained = await self.uploads.drain(timeout)
        if self._deleting is not None:
            await self._deleting
        await self.uploads.close()
        self._publish(BroadcastClosed(self.stream, self.broadcast))
        return drained

    def supersede(self) -> None:
        """Another broadcast of the stream has begun: the names of the current one are no longer this one's."""
        self._superseded = True

    def total_bytes(self) -> int:
        return sum(index.total_bytes for index in self._tracks.values())

    def duration_s(self) -> float:
        """Seconds from the first segment's start to the last one's end, on the longest track."""
        return max((index.duration_s() for index in self._tracks.values()), default=0.0)

    def _review(self, index: TrackIndex, entry: SegmentEntry) -> None:
        """Say the facts anew where the segment changed them enough for a player to care."""
        assert index.config is not None
        length_ms = entry.duration * 1000 // index.config.timescale
        longer = not entry.gap and isinstance(index.config, VideoConfig) and length_ms > self._longest_ms + 500
        if longer:
            self._longest_ms = length_ms
        becomes_ready = not self._ready and all(index.entries for index in self._tracks.values())
        self._ready = self._ready or becomes_ready
        said = self._published_bps.get(index.track, 0)
        if longer or becomes_ready or index.peak_bps * 20 > said * 21:
            self._publish_facts()

    def _facts(self, *, ended: bool | None = None) -> BroadcastFacts:
        known = (index.facts() for index in self._tracks.values())
        return BroadcastFacts(
            tracks=tuple(facts for facts in known if facts is not None),
            availability_start_ms=self._zero_ms,
            ended=self._ended if ended is None else ended,
            segment_target_ms=self._longest_ms,
            playlist_window_ms=self._options.playlist_window_ms,
            utc_timing_url=self._options.utc_timing_url,
        )

    def _publish_facts(self) -> None:
        """To the live windows, and in the store: what multivariant playlists say are the facts alone."""
        self._published_bps = {index.track: index.peak_bps for index in self._tracks.values()}
        facts = replace(self._facts(), low_latency=self._low_latency)
        self._publish(BroadcastChanged(self.stream, self.broadcast, facts, self._ready))
        if self._ready:
            self._put_multivariants()

    def _has_on_all_tracks(self, msn: int) -> bool:
        """Whether the segment is the last that manifests can name: one text then serves for all tracks."""
        return all(index.entries[-1].msn >= msn for index in self._tracks.values() if index.entries)

    def _publish(self, message: LiveMessage) -> None:
        self._bus.publish(self._subject, message)

    def _key(self, track: str, name: str) -> str:
        return f"{track_prefix(self.stream, self.broadcast, track)}/{name}"

    def _put_media(self, key: str, body: bytes, *, required: bool = False) -> None:
        self.uploads.put_media(
            key, body, content_type=content_type(key), cache_control=cache_control(key), required=required
        )

    def _put_text(self, key: str, render: Callable[[], bytes | None]) -> None:
        self.uploads.put_text(
            key, lambda: self._made(render), content_type=content_type(key), cache_control=cache_control(key)
        )

    async def _made(self, render: Callable[[], bytes | None]) -> bytes | None:
        """The texts of a whole broadcast are long, and others are live meanwhile; when it has ended nothing of it
        changes any more, so they may be made beside them."""
        return await asyncio.to_thread(render) if self._ended else render()

    def _put_playlist(self, index: TrackIndex) -> None:
        self._put_text(self._key(index.track, MEDIA_PLAYLIST), lambda: self._render_media(index))

    def _put_multivariants(self) -> None:
        self._put_for_both(MASTER_PLAYLIST, self._render_master)

    def _put_manifests(self) -> None:
        self._put_for_both(MANIFEST, self._render_manifest)

    def _put_for_both(self, name: str, render: Callable[[str | None], bytes | None]) -> None:
        """Below the broadcast, and as the stream's current one with the way to the broadcast before its URIs."""
        self._put_text(f"{broadcast_prefix(self.stream, self.broadcast)}/{name}", lambda: render(None))
        if not self._superseded:
            self._put_text(
                f"{stream_prefix(self.stream)}/{name}",
                lambda: None if self._superseded else render(f"{self.broadcast}/"),
            )

    def _is_whole(self, *indexes: TrackIndex) -> bool:
        """Whether the broadcast has ended and its last segments are resolved: a stored end is final."""
        return self._ended and all(index.resolved == len(index.entries) for index in indexes)

    def _listed(self, index: TrackIndex) -> Sequence[SegmentEntry]:
        if self._ended:
            return index.entries[: index.resolved]
        return index.recent(self._options.playlist_window_ms)

    def _render_media(self, index: TrackIndex) -> bytes | None:
        facts, entries = index.facts(), self._listed(index)
        if facts is None or not entries:
            return None
        memo = None if self._ended else self._memos[index.track]
        playlist = media_playlist(
            facts, entries, ended=self._is_whole(index), target_ms=self._longest_ms, memo=memo
        )
        return hls.render_media(playlist).encode()

    def _render_master(self, prefix: str | None) -> bytes | None:
        if not any(index.resolved for index in self._tracks.values()):
            return None
        return hls.render_multivariant(multivariant_playlist(self._facts(), prefix=prefix or "")).encode()

    def _render_manifest(self, base_url: str | None) -> bytes | None:
        entries = {index.track: self._listed(index) for index in self._tracks.values()}
        if not any(entries.values()):
            return None
        facts = self._facts(ended=self._is_whole(*self._tracks.values()))
        if self._presented is None or self._presented.of != (facts, entries):
            now_ms = round(self._clock() * 1000)
            made = dash_presentation(facts, entries, publish_time_ms=now_ms, base_url=None)
            self._presented = Presented((facts, entries), made)
        return dash.render(replace(self._presented.presentation, base_url=base_url)).encode()

    def _stored(self, key: str) -> None:
        track, msn = self._segments_by_key.pop(key, (None, 0))
        if track is not None:
            self._tracks[track].mark_resolved(msn)
            self._publish(SegmentStored(track, msn))

    def _note_trouble(self, error: StorageError | None) -> None:
        self.store_trouble = error

    def _lost(self, key: str, error: StorageError | None) -> None:
        track, msn = self._segments_by_key.pop(key, (None, 0))
        if track is not None:
            self._tracks[track].lose(msn)
            self._observer.segment_lost(track, error)

    def _forget(self, index: TrackIndex, dvr_ms: int) -> None:
        gone = index.forget(max(dvr_ms, self._options.playlist_window_ms))
        if not gone:
            return
        self._doomed.extend(self._key(index.track, segment_name(entry.msn)) for entry in gone if not entry.gap)
        self._publish(WindowMoved(gone[-1].msn + 1))
        if self._deleting is None or self._deleting.done():
            self._deleting = asyncio.create_task(self._delete())

    async def _delete(self) -> None:
        while self._doomed:
            key = self._doomed[0]
            try:
                await self._store.delete(key)
            except StorageError as error:
                log.warning("an old segment stays in the store", key=key, error=str(error))
            self._doomed.popleft()
