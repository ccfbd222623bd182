"""The recorder: updates the ledger, publishes the tracks' media on the bus, and puts it into the store.

A segment is durable before a stored playlist names it, because texts are rendered at the moment they are put.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

import structlog

from live.bus import Bus
from live.messages import (
    BroadcastChanged,
    BroadcastClosed,
    BroadcastPlayable,
    LiveMessage,
    SegmentStored,
    WindowMoved,
)
from live.topics import MEDIA, MILESTONES, BroadcastRef
from media.log_context import broadcast_context
from media.names import (
    MANIFEST,
    MASTER_PLAYLIST,
    MEDIA_PLAYLIST,
    RECORDING_PLAYLIST,
    broadcast_prefix,
    init_name,
    segment_name,
    stream_prefix,
    track_prefix,
)
from media.units import Kind
from packager.cmaf.segment_writer import Init, Part, Segment
from packager.facts import SegmentEntry
from storage.backlog import Backlog
from storage.interface import ObjectNotFound, ObjectStore, StorageError
from storage.journals import JournalFile
from storage.uploads import UploadQueue
from worker.journal import Journal
from worker.ledger import BroadcastLedger, Course, Phase, TrackLedger
from worker.segment_traces import SegmentTraces
from worker.stored_texts import StoredTexts

log = structlog.get_logger("recorder")


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    """Durations in milliseconds; with ``dvr_ms`` None, the store keeps the complete broadcast. The playlists and
    manifests of a broadcast on air are stored at most every ``texts_every_s`` seconds. ``utc_timing_url`` is the
    address below which each broadcast has its clock."""

    segment_target_ms: int = 2000
    playlist_window_ms: int = 60_000
    dvr_ms: int | None = None
    texts_every_s: float = 0.0
    utc_timing_url: str = ""

    def new_ledger(self, stream: str, broadcast: str, zero_ms: int, *, sparse: bool = False) -> BroadcastLedger:
        """The ledger of a new broadcast, which begins at about ``zero_ms`` (Unix milliseconds)."""
        return BroadcastLedger(
            stream,
            broadcast,
            zero_ms,
            target_ms=self.segment_target_ms,
            playlist_window_ms=self.playlist_window_ms,
            utc_timing_url=f"{self.utc_timing_url}/{stream}/{broadcast}" if self.utc_timing_url else "",
            sparse=sparse,
        )


class RecorderObserver(Protocol):
    """Counts the completed and the lost segments of a broadcast."""

    def segment_made(self, track: str, entry: SegmentEntry) -> None: ...

    def segment_lost(self, track: str, error: StorageError | None) -> None: ...


class Recorder:
    """A :class:`~packager.cmaf.segment_writer.TrackSink` for all tracks of one broadcast. ``clock`` returns Unix
    seconds, ``monotonic`` monotonic seconds. Without a ``journal``, a crash ends the broadcast. ``traces`` follow
    some of its segments."""

    def __init__(
        self,
        ledger: BroadcastLedger,
        *,
        bus: Bus,
        store: ObjectStore,
        observer: RecorderObserver,
        clock: Callable[[], float],
        options: RecorderOptions,
        backlog: Backlog | None = None,
        journal: JournalFile | None = None,
        traces: SegmentTraces | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ledger = ledger
        self.store_error: StorageError | None = None
        self._bus = bus
        self._store = store
        self._observer = observer
        self._options = options
        self._traces = traces
        self._texts = StoredTexts(ledger, clock)
        self._ref = BroadcastRef(ledger.stream, ledger.broadcast)
        self.log_context = broadcast_context(*self._ref)
        self._log = log.bind(**self.log_context)
        self._journal = Journal(ledger, journal, self.log_context) if journal is not None else None
        self._backlog = backlog or Backlog()
        self._superseded = False
        self._was_live = ledger.phase is Phase.LIVE
        self._gave_up = False
        self._published_bps: dict[str, int] = {}
        self._segments_by_key: dict[str, tuple[str, int]] = {}
        self._to_delete: deque[str] = deque()
        self._deleting: asyncio.Task[None] | None = None
        self._monotonic = monotonic
        # When each text, by its name or its track, is next stored.
        self._texts_due: dict[str, float] = {}
        self._uploads = UploadQueue(
            store,
            backlog=self._backlog,
            on_stored=self._on_stored,
            on_lost=self._on_lost,
            on_trouble=self._on_store_error,
            observer=traces,
            context=self.log_context,
            clock=monotonic,
        )

    def expect(self, track: str, kind: Kind, *, default: bool = False, label: str = "") -> None:
        """Announce a track. The broadcast is not playable until every announced track has media."""
        self.ledger.expect(track, kind, default=default, label=label)
        self._publish_facts()

    def retire_renditions(self, kept: Collection[str]) -> None:
        """Leave video tracks that are not in ``kept`` out of the multivariant playlists of the live broadcast."""
        if self.ledger.retire_renditions(kept):
            self._publish_facts()

    def end_tracks(self, tracks: Iterable[str]) -> None:
        """End the live playlists of ``tracks``, which are closed, while others are not complete."""
        self.ledger.end_tracks(tracks)
        self._publish_facts()

    def stop_waiting(self) -> None:
        """Become playable with the tracks that have media."""
        if self.ledger.stop_waiting():
            self._publish_facts()

    def note_cut(self) -> None:
        """The ledger has a new cut. Write it into the journal before viewers see the segment."""
        self._note(at_once=True)

    def set_clock(self, offset_ms: int) -> None:
        """Set the broadcast's clock: the server's plus ``offset_ms``."""
        self.ledger.clock_offset_ms = offset_ms
        self._publish_facts()

    async def resume(self) -> None:
        """Continue the interrupted broadcast of the ledger: segments in the spool are uploaded, others that the
        store lacks are lost, and segments that were not completed become gaps. Live windows start from
        :func:`~worker.window_seed.window_seed`. Raises StorageError if the store cannot be reached."""
        ledger, spool = self.ledger, self._backlog.spool
        for name, entry in list(ledger.unresolved()):
            key = self._key(name, segment_name(entry.msn))
            if spool is not None and key in spool:
                self._segments_by_key[key] = (name, entry.msn)
                self._uploads.put_spooled(key, entry.size)
            elif await self._is_stored(key):
                ledger.tracks[name].mark_resolved(entry.msn)
            else:
                ledger.tracks[name].lose(entry.msn)
                self._observer.segment_lost(name, None)
        for name, gaps in ledger.interrupt().items():
            for entry in gaps:
                self._observer.segment_made(name, entry)
        self._put_inits_and_texts()

    async def restore(self) -> None:
        """Put what a store that was emptied needs of this broadcast. The segments that it had become gaps. Raises
        StorageError if the store cannot be read."""
        ledger = self.ledger
        durable = {name: track.durable() for name, track in ledger.tracks.items()}
        prefix = f"{broadcast_prefix(ledger.stream, ledger.broadcast)}/"
        found = {info.key async for info in self._store.list(prefix)}
        for name, segments in durable.items():
            lost = {msn for msn in segments if self._key(name, segment_name(msn)) not in found}
            ledger.tracks[name].forfeit(lost)
            for _ in lost:
                self._observer.segment_lost(name, None)
        self._put_inits_and_texts()

    def on_init(self, init: Init) -> None:
        self.ledger.add_init(init)
        self._note()
        self._put_init(init)
        self._publish(init)
        self._publish_facts()

    def on_part(self, part: Part) -> None:
        self.ledger.add_part(part)
        self._publish(part)
        if self._traces is not None:
            self._traces.on_part(part)

    def on_segment(self, segment: Segment) -> None:
        ledger, entry = self.ledger, segment.entry
        track = ledger.tracks[segment.track]
        changed = ledger.add_segment(segment)
        self._note()
        self._publish(segment)
        self._observer.segment_made(segment.track, entry)
        if self._traces is not None:
            self._traces.on_segment(segment)
        if not entry.gap:
            key = self._key(segment.track, segment_name(entry.msn))
            self._segments_by_key[key] = (segment.track, entry.msn)
            self._uploads.put_media(key, segment.data)
        if changed or self._peak_rose(track):
            self._publish_facts()
        if self._is_due(track.track):
            self._put_playlist(track)
        if ledger.phase is Phase.LIVE and ledger.has_on_all_tracks(entry.msn) and self._is_due(MANIFEST):
            self._put_for_both(MANIFEST, self._texts.manifest)
        if self._options.dvr_ms is not None:
            self._forget(track, self._options.dvr_ms)

    def set_course(self, course: Course) -> None:
        """The broadcast's times, for the journal."""
        if self._journal is not None:
            self._journal.course = course

    async def finish(self) -> bool:
        """End the playlists and wait until everything is in the store, however long it is away. Call it after the
        tracks are closed. Returns False if :meth:`give_up` ended the wait."""
        self.ledger.finish()
        self._note(at_once=True)
        for track in self.ledger.tracks.values():
            if track.config is not None:
                self._put_playlist(track)
                self._put_recording(track)
        # The multivariant playlist names the recordings, so it comes after them.
        self._publish_facts()
        self._put_for_both(MANIFEST, self._texts.manifest)
        await self._uploads.drain()
        if self._deleting is not None:
            await self._deleting
        await self._uploads.close()
        if self._traces is not None:
            self._traces.close()
        self._publish(BroadcastClosed(self.ledger.stream, self.ledger.broadcast))
        return not self._gave_up

    async def give_up(self) -> None:
        """Stop waiting for the store. What it has not taken stays in the spool; without one, it is lost."""
        self._gave_up = self.pending
        await self._uploads.suspend()

    async def close_journal(self, *, delete: bool) -> None:
        """``delete``: everything about the broadcast is in the store. Otherwise, the next start continues from the
        journal."""
        if self._journal is not None:
            await self._journal.close(delete=delete)

    async def drain(self, timeout: float) -> bool:
        """Wait until nothing is left to upload; returns False if that takes longer than ``timeout`` seconds."""
        return await self._uploads.drain(timeout)

    def supersede(self) -> None:
        """Stop writing the playlists under the stream's own name: a newer broadcast writes them now."""
        self._superseded = True

    @property
    def pending(self) -> bool:
        """Whether something waits for the store."""
        return not self._uploads.idle

    def recorded_bytes(self) -> int:
        """Bytes of the media that stays in the store: with a DVR window, of what has not left it."""
        if self._options.dvr_ms is None:
            return self.ledger.total_bytes()
        return sum(entry.size for track in self.ledger.tracks.values() for entry in track.entries)

    @property
    def pending_bytes(self) -> int:
        """Bytes of media that wait for the store."""
        return self._uploads.pending_bytes

    def oldest_upload_s(self, now: float) -> float:
        """The age of the oldest upload in seconds; ``now`` is monotonic seconds."""
        return self._uploads.oldest_age(now)

    def _peak_rose(self, track: TrackLedger) -> bool:
        """Whether the track's peak bit rate is more than 5 % above the one in the playlists."""
        return track.peak_bps * 20 > self._published_bps.get(track.track, 0) * 21

    def _publish_facts(self) -> None:
        """Publish the facts to the live windows and put the multivariant playlists into the store."""
        ledger = self.ledger
        self._published_bps = {name: track.peak_bps for name, track in ledger.tracks.items()}
        changed = BroadcastChanged(ledger.stream, ledger.broadcast, ledger.live_facts(), ledger.playable)
        self._publish(changed)
        if ledger.phase is Phase.LIVE and not self._was_live:
            self._was_live = True
            self._bus.publish(MILESTONES, self._ref, BroadcastPlayable())
        if ledger.playable:
            self._put_for_both(MASTER_PLAYLIST, self._texts.multivariant)

    def _note(self, *, at_once: bool = False) -> None:
        if self._journal is not None:
            self._journal.note(at_once=at_once)

    def _publish(self, message: LiveMessage) -> None:
        self._bus.publish(MEDIA, self._ref, message)

    def _key(self, track: str, name: str) -> str:
        return f"{track_prefix(self.ledger.stream, self.ledger.broadcast, track)}/{name}"

    async def _is_stored(self, key: str) -> bool:
        try:
            await self._store.head(key)
        except ObjectNotFound:
            return False
        return True

    def _put_init(self, init: Init) -> None:
        self._uploads.put_init(self._key(init.track, init_name(init.number)), init.data)

    def _put_inits_and_texts(self) -> None:
        self._publish_facts()
        for track in self.ledger.tracks.values():
            for init in track.inits.values():
                self._put_init(init)
            if track.config is not None:
                self._put_playlist(track)
        self._put_for_both(MANIFEST, self._texts.manifest)

    def _is_due(self, text: str) -> bool:
        """Whether ``text`` is stored now."""
        now = self._monotonic()
        if now < self._texts_due.get(text, 0.0):
            return False
        self._texts_due[text] = now + self._options.texts_every_s
        return True

    def _put_text(self, key: str, render: Callable[[], bytes | None]) -> None:
        self._uploads.put_text(key, lambda: self._render(render))

    async def _render(self, render: Callable[[], bytes | None]) -> bytes | None:
        """Render in a thread if the broadcast has ended: its final texts can take long, and its ledger no longer
        changes."""
        return await asyncio.to_thread(render) if self.ledger.phase is Phase.ENDED else render()

    def _put_playlist(self, track: TrackLedger) -> None:
        self._put_text(self._key(track.track, MEDIA_PLAYLIST), lambda: self._texts.media(track))

    def _put_recording(self, track: TrackLedger) -> None:
        self._put_text(self._key(track.track, RECORDING_PLAYLIST), lambda: self._texts.recording(track))

    def _put_for_both(self, name: str, render: Callable[[str | None], bytes | None]) -> None:
        """Put a text under the broadcast's prefix and, as the stream's current text, under the stream's prefix with
        the broadcast's id before its URIs."""
        ledger = self.ledger
        self._put_text(f"{broadcast_prefix(ledger.stream, ledger.broadcast)}/{name}", lambda: render(None))
        if not self._superseded:
            self._put_text(
                f"{stream_prefix(ledger.stream)}/{name}",
                lambda: None if self._superseded else render(f"{ledger.broadcast}/"),
            )

    def _on_stored(self, key: str) -> None:
        track, msn = self._segments_by_key.pop(key, (None, 0))
        if track is not None:
            self.ledger.tracks[track].mark_resolved(msn)
            self._publish(SegmentStored(track, msn))

    def _on_store_error(self, error: StorageError | None) -> None:
        self.store_error = error

    def _on_lost(self, key: str, error: StorageError | None) -> None:
        track, msn = self._segments_by_key.pop(key, (None, 0))
        if track is not None:
            self.ledger.tracks[track].lose(msn)
            self._observer.segment_lost(track, error)
            if self._traces is not None:
                self._traces.lost(key, error.code if error is not None else "too-slow")

    def _forget(self, track: TrackLedger, dvr_ms: int) -> None:
        """Delete the segments that have left the DVR window."""
        gone = track.forget(max(dvr_ms, self._options.playlist_window_ms))
        if not gone:
            return
        self._to_delete.extend(self._key(track.track, segment_name(entry.msn)) for entry in gone if not entry.gap)
        self._publish(WindowMoved(gone[-1].msn + 1))
        if self._deleting is None or self._deleting.done():
            self._deleting = asyncio.create_task(self._delete())

    async def _delete(self) -> None:
        while self._to_delete:
            key = self._to_delete[0]
            try:
                await self._store.delete(key)
            except StorageError as error:
                self._log.warning("an old segment stays in the store", key=key, error=str(error))
            self._to_delete.popleft()
