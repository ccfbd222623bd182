"""The live window of a broadcast: its newest segments and parts in memory, and the playlists over them.

Built from nothing but the messages of :mod:`live.messages`, so it can stand in any process that hears them.
Media leaves the window once it is durable and old, and in any case with the live playlist that names it, so memory
stays bounded whatever the store does.

Waiting is for what is about to be made. Any number of requests for one thing wait for one event, and what they get
is rendered once.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from live.live_playlist import SKIP_UNTIL, low_latency_playlist
from live.messages import BroadcastChanged, LiveMessage, SegmentStored, WindowMoved
from live.window_track import Position, WindowSegment, WindowTrack
from media.timescale import MICROSECONDS
from packager import dash, hls
from packager.cmaf.segment_writer import Init, Part, Segment
from packager.dash.build import dash_presentation
from packager.errors import SegmentUnfinished
from packager.facts import BroadcastFacts, LowLatency, SegmentEntry, TrackFacts
from packager.hls.build import SegmentMemo, media_playlist, multivariant_playlist
from storage.sized_cache import SizedCache

# Rendered texts kept: a few seconds of parts on every track of a ladder, with and without skipped segments; of long
# ones, which are those of an hour, fewer.
MAX_TEXTS = 256
MAX_TEXT_BYTES = 8 << 20
# How far ahead of its end a playlist may be asked for (draft-pantos-hls-rfc8216bis, 6.2.5.2).
SEGMENTS_AHEAD = 2
PARTS_AHEAD_S = 3


@dataclass(frozen=True, slots=True)
class Reload:
    """What a request for a media playlist wants: a position that is there or is waited for, and a delta update."""

    position: Position | None = None
    skip: bool = False


class LiveWindow:
    """The window over one broadcast; :meth:`receive` takes its messages in order."""

    def __init__(self, stream: str, broadcast: str) -> None:
        self.stream = stream
        self.broadcast = broadcast
        self.facts: BroadcastFacts | None = None
        self.ready = False
        self.gone_before = 0
        self.tracks: dict[str, WindowTrack] = {}
        self._texts: SizedCache[tuple[object, ...], bytes] = SizedCache(MAX_TEXT_BYTES, max_values=MAX_TEXTS)
        self._memos: defaultdict[str, SegmentMemo] = defaultdict(SegmentMemo)
        self._published: dict[str | None, dash.Presentation] = {}
        self._version = 0
        self._facts_version = 0
        self._became_ready = asyncio.Event()

    def receive(self, message: LiveMessage) -> None:
        self._version += 1
        match message:
            case Part():
                self._track(message.track).add_part(message)
            case Segment():
                facts = self._track_facts(message.track)
                if facts is not None and self.facts is not None:
                    track = self._track(message.track)
                    track.add_segment(message, facts.config.timescale, self.facts.playlist_window_ms)
            case Init():
                self._track(message.track).inits[message.number] = message.data
            case SegmentStored():
                track = self._track(message.track)
                if message.msn in track.segments:
                    track.segments[message.msn].stored = True
                    track.trim()
            case BroadcastChanged():
                self._change(message)
            case WindowMoved():
                self.gone_before = message.msn

    @property
    def ended(self) -> bool:
        return self.facts is not None and self.facts.ended

    async def wait_ready(self, timeout: float) -> bool:
        """Wait, at most ``timeout`` seconds, until there is something to play."""
        return await self._wait(lambda: self.ready, lambda: self._became_ready, timeout)

    async def wait_for(self, track: str, position: Position, timeout: float) -> bool:
        """Wait until the track's playlist has got to ``position``, or the broadcast has ended."""
        known = self._track(track)
        return await self._wait(
            lambda: self.ended or known.has(known.normalize(position)), lambda: known.changed, timeout
        )

    def is_near(self, track: str, position: Position) -> bool:
        """Whether ``position`` is there or so near that it may be waited for (6.2.5.2)."""
        known = self.tracks.get(track)
        if known is None or known.end is None:
            return position.msn <= SEGMENTS_AHEAD
        position = known.normalize(position)
        if known.has(position):
            return True
        last = known.last_msn if known.last_msn is not None else known.end.msn - 1
        if position.msn > last + SEGMENTS_AHEAD:
            return False
        if position.part is None or self.low_latency is None:
            return True
        made = known.end.part or 0 if position.msn == known.end.msn else 0
        return position.part - made <= max(
            PARTS_AHEAD_S, PARTS_AHEAD_S * MICROSECONDS // self.low_latency.part_target_us
        )

    def media(self, track: str, msn: int) -> bytes | None:
        """A complete segment's bytes; None where the window does not hold them."""
        known = self.tracks.get(track)
        held = known.segments.get(msn) if known is not None else None
        return held.data if held is not None else None

    def part(self, track: str, position: Position) -> bytes | None:
        """A part's bytes; None where the window does not hold them (yet). A part beyond the last one of its segment
        is the first of the next: a playlist's hint may have named it so."""
        known = self.tracks.get(track)
        if known is None:
            return None
        position = known.normalize(position)
        held = known.segments.get(position.msn)
        return held.part(position.part or 0) if held is not None else None

    def is_first_fetch(self, track: str, position: Position) -> bool:
        """Whether nobody has asked for this part or a later one of its segment before; notes that somebody has."""
        held = self._track(track).segments.get(position.msn)
        if held is None or position.part is None or position.part < held.fetched:
            return False
        held.fetched = position.part + 1
        return True

    async def growing(self, track: str, msn: int, timeout: float) -> AsyncIterator[bytes]:
        """The chunks of segment ``msn`` as they are made, to its end; each is waited for ``timeout`` seconds. None
        where it has no media. Raises SegmentUnfinished: a reader has to learn that it did not get all."""
        known, index = self._track(track), 0
        held: WindowSegment | None = None
        while True:
            # Kept hold of: a slow reader may still be at it when it has left the window.
            held = held or known.segments.get(msn)
            if held is None and known.has(Position(msn)):
                return
            if held is not None and held.data is not None:
                whole = sum(part.size for part in held.parts[:index])
                if whole < len(held.data):
                    yield held.data[whole:]
                return
            if held is not None and index < len(held.chunks):
                yield held.chunks[index]
                index += 1
            elif self.ended or not await self._wait_change(known, timeout):
                raise SegmentUnfinished(f"segment {msn} of {track} was not completed")

    def is_open(self, track: str, msn: int) -> bool:
        """Whether segment ``msn`` is being made."""
        known = self.tracks.get(track)
        opened = known.open_segment if known is not None else None
        return opened is not None and opened.opened.msn == msn

    def is_coming(self, track: str, msn: int) -> bool:
        """Whether segment ``msn`` lies ahead, or is being made."""
        known = self.tracks.get(track)
        return known is not None and (known.last_msn is None or msn > known.last_msn)

    def init(self, track: str, number: int) -> bytes | None:
        known = self.tracks.get(track)
        return known.inits.get(number) if known else None

    def master(self, *, prefix: str = "") -> bytes | None:
        """The multivariant playlist; ``prefix`` is put before every URI."""
        facts = self.facts
        if facts is None or not self.ready:
            return None
        return self._text(
            ("master", prefix, self._facts_version),
            lambda: hls.render_multivariant(multivariant_playlist(facts, prefix=prefix)),
        )

    def playlist(self, track: str, reload: Reload | None = None) -> bytes | None:
        """The media playlist as it was at ``reload.position``, if the window recalls that, or as it is now; None
        where there is none yet."""
        reload = reload or Reload()
        known, facts = self.tracks.get(track), self._track_facts(track)
        if known is None or facts is None or self.facts is None or not known.entries or known.end is None:
            return None
        kept = reload.position is not None and self.recalls(track, reload.position)
        position = known.normalize(reload.position) if kept and reload.position is not None else known.end
        at: object = position if kept else self._version
        return self._text(
            ("media", track, at, reload.skip),
            lambda: self._render_media(track, known, facts, position, reload.skip),
        )

    def recalls(self, track: str, position: Position) -> bool:
        """Whether the playlist at ``position`` is the same for all who ask; otherwise they get the present one."""
        known = self.tracks.get(track)
        return known is not None and not self.ended and known.recalls(known.normalize(position))

    def manifest(self, *, base_url: str | None = None, now_ms: int) -> bytes | None:
        """The MPD; ``now_ms`` is the time it says it was published."""
        facts = self.facts
        if facts is None or not self.ready:
            return None
        entries = {name: tuple(track.entries) for name, track in self.tracks.items()}
        state = tuple((name, listed[-1].msn if listed else -1) for name, listed in entries.items())
        return self._text(
            ("manifest", base_url, self._facts_version, state),
            lambda: self._render_manifest(facts, entries, base_url, now_ms),
        )

    @property
    def low_latency(self) -> LowLatency | None:
        return self.facts.low_latency if self.facts is not None else None

    def _render_media(
        self, name: str, track: WindowTrack, facts: TrackFacts, position: Position, skip: bool
    ) -> str:
        assert self.facts is not None
        # Up to a part of a segment, that segment itself is not complete yet.
        last = position.msn if position.part is None or self.ended else position.msn - 1
        entries = [entry for entry in track.entries if entry.msn <= last or self.ended]
        playlist = media_playlist(
            facts,
            entries,
            ended=self.facts.ended,
            target_ms=self.facts.segment_target_ms,
            memo=self._memos[name],
        )
        if self.facts.low_latency is not None:
            playlist = low_latency_playlist(
                playlist,
                facts,
                track,
                position,
                low_latency=self.facts.low_latency,
                segment_target_ms=self.facts.segment_target_ms,
                others=[(other, known) for other, known in self.tracks.items() if other != name],
            )
        if skip and not self.facts.ended:
            playlist = hls.delta(playlist, SKIP_UNTIL * playlist.target_duration * MICROSECONDS)
        return hls.render_media(playlist)

    def _render_manifest(
        self,
        facts: BroadcastFacts,
        entries: Mapping[str, Sequence[SegmentEntry]],
        base_url: str | None,
        now_ms: int,
    ) -> str:
        made = dash_presentation(facts, entries, publish_time_ms=now_ms, base_url=base_url)
        self._published[base_url] = dash.republished(made, self._published.get(base_url))
        return dash.render(self._published[base_url])

    def _change(self, message: BroadcastChanged) -> None:
        self.facts, self.ready = message.facts, message.ready
        self._facts_version += 1
        if self.ready:
            self._became_ready.set()
        if self.facts.ended:
            for track in self.tracks.values():
                track.wake()

    def _text(self, key: tuple[object, ...], render: Callable[[], str]) -> bytes:
        text = self._texts.get(key)
        if text is None:
            text = render().encode()
            self._texts.put(key, text, len(text))
        return text

    async def _wait(
        self, condition: Callable[[], bool], event: Callable[[], asyncio.Event], timeout: float
    ) -> bool:
        if condition():
            return True
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await event().wait()
        except TimeoutError:
            return False
        return True

    async def _wait_change(self, track: WindowTrack, timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout):
                await track.changed.wait()
        except TimeoutError:
            return False
        return True

    def _track(self, name: str) -> WindowTrack:
        return self.tracks.setdefault(name, WindowTrack())

    def _track_facts(self, name: str) -> TrackFacts | None:
        facts = self.facts
        return next((track for track in facts.tracks if track.track == name), None) if facts else None
