"""The live window of a broadcast: its newest segments and parts in memory, and the playlists over them.

Built from nothing but the messages of :mod:`packager.messages`, so it can stand in any process that hears them.
Media leaves the window once it is durable and old, and in any case with the live playlist that names it, so memory
stays bounded whatever the store does.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from packager import dash, hls
from packager.messages import BroadcastChanged, LiveMessage, SegmentStored, WindowMoved
from packager.presentation import (
    BroadcastFacts,
    SegmentEntry,
    TrackFacts,
    dash_presentation,
    media_playlist,
    multivariant_playlist,
)
from packager.segment_writer import Init, Part, Segment

# Segments kept in memory although they are durable: what players at the live edge still ask for.
KEPT_SEGMENTS = 4


@dataclass(slots=True)
class WindowSegment:
    """A segment as far as it is made; ``data`` replaces ``parts`` once it is complete."""

    parts: list[bytes] = field(default_factory=list)
    part_sizes: list[int] = field(default_factory=list)
    data: bytes | None = None
    stored: bool = False

    def part(self, index: int) -> bytes | None:
        if self.data is None:
            return self.parts[index] if index < len(self.parts) else None
        if index >= len(self.part_sizes):
            return None
        start = sum(self.part_sizes[:index])
        return self.data[start : start + self.part_sizes[index]]


class WindowTrack:
    """One track: inits, the entries of the live playlist, and the media that is still in memory."""

    def __init__(self) -> None:
        self.inits: dict[int, bytes] = {}
        self.entries: deque[SegmentEntry] = deque()
        self.segments: dict[int, WindowSegment] = {}

    def add(self, segment: Segment, timescale: int, playlist_window_ms: int) -> None:
        entry = segment.entry
        self.entries.append(entry)
        if not entry.gap:
            held = self.segments.setdefault(entry.msn, WindowSegment())
            held.data, held.parts = segment.data, []
        window = playlist_window_ms * timescale // 1000
        while len(self.entries) > 1 and entry.start + entry.duration - self.entries[1].start >= window:
            gone = self.entries.popleft()
            self.segments.pop(gone.msn, None)
        self.trim()

    def trim(self) -> None:
        """Let durable media go, but for the newest."""
        if not self.entries:
            return
        keep_from = self.entries[-1].msn - KEPT_SEGMENTS + 1
        for msn in [msn for msn, segment in self.segments.items() if msn < keep_from and segment.stored]:
            del self.segments[msn]


class LiveWindow:
    """The window over one broadcast; :meth:`receive` takes its messages in order."""

    def __init__(self, stream: str, broadcast: str) -> None:
        self.stream = stream
        self.broadcast = broadcast
        self.facts: BroadcastFacts | None = None
        self.ready = False
        self.gone_before = 0
        self.tracks: dict[str, WindowTrack] = {}
        self._texts: dict[tuple[str, ...], bytes] = {}
        self._changed = asyncio.Event()

    def receive(self, message: LiveMessage) -> None:
        match message:
            case Part():
                held = self._track(message.track).segments.setdefault(message.msn, WindowSegment())
                held.parts.append(message.data)
                held.part_sizes.append(len(message.data))
            case Segment():
                self._add_segment(message)
            case Init():
                self._track(message.track).inits[message.number] = message.data
            case SegmentStored():
                track = self._track(message.track)
                if message.msn in track.segments:
                    track.segments[message.msn].stored = True
                    track.trim()
            case BroadcastChanged():
                self.facts, self.ready = message.facts, message.ready
                self._texts.clear()
            case WindowMoved():
                self.gone_before = message.msn
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_ready(self, timeout: float) -> bool:
        """Wait, at most ``timeout`` seconds, until there is something to play."""
        try:
            async with asyncio.timeout(timeout):
                while not self.ready:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def media(self, track: str, msn: int, part: int | None = None) -> bytes | None:
        """A complete segment's bytes, or a part's; None where the window does not hold them."""
        held = self._held(track, msn)
        if held is None:
            return None
        return held.data if part is None else held.part(part)

    def is_coming(self, track: str, msn: int) -> bool:
        """Whether segment ``msn`` lies ahead, or is being made."""
        known = self.tracks.get(track)
        return known is not None and (not known.entries or msn > known.entries[-1].msn)

    def init(self, track: str, number: int) -> bytes | None:
        known = self.tracks.get(track)
        return known.inits.get(number) if known else None

    def master(self, *, prefix: str = "") -> bytes | None:
        """The multivariant playlist; ``prefix`` is put before every URI."""
        facts = self.facts
        if facts is None or not self.ready:
            return None
        key = ("master", prefix)
        if key not in self._texts:
            self._texts[key] = hls.render_multivariant(multivariant_playlist(facts, prefix=prefix)).encode()
        return self._texts[key]

    def playlist(self, track: str) -> bytes | None:
        known, facts = self.tracks.get(track), self._track_facts(track)
        if known is None or facts is None or self.facts is None or not known.entries:
            return None
        key = ("media", track)
        if key not in self._texts:
            playlist = media_playlist(
                facts, known.entries, ended=self.facts.ended, target_ms=self.facts.segment_target_ms
            )
            self._texts[key] = hls.render_media(playlist).encode()
        return self._texts[key]

    def manifest(self, *, base_url: str | None = None, now_ms: int) -> bytes | None:
        """The MPD; ``now_ms`` is the time it says it was published."""
        if self.facts is None or not self.ready:
            return None
        key = ("manifest", base_url or "")
        if key not in self._texts:
            entries = {name: tuple(track.entries) for name, track in self.tracks.items()}
            presentation = dash_presentation(self.facts, entries, publish_time_ms=now_ms, base_url=base_url)
            self._texts[key] = dash.render(presentation).encode()
        return self._texts[key]

    def _add_segment(self, segment: Segment) -> None:
        facts = self._track_facts(segment.track)
        if facts is None or self.facts is None:
            return
        track = self._track(segment.track)
        track.add(segment, facts.config.timescale, self.facts.playlist_window_ms)
        self._texts.pop(("media", segment.track), None)
        for key in [key for key in self._texts if key[0] == "manifest"]:
            del self._texts[key]

    def _track(self, name: str) -> WindowTrack:
        return self.tracks.setdefault(name, WindowTrack())

    def _track_facts(self, name: str) -> TrackFacts | None:
        facts = self.facts
        return next((track for track in facts.tracks if track.track == name), None) if facts else None

    def _held(self, track: str, msn: int) -> WindowSegment | None:
        known = self.tracks.get(track)
        return known.segments.get(msn) if known else None
