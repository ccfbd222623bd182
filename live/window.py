"""The live window of a broadcast: its newest segments and parts in memory, and the playlists over them.

It is built from the messages of :mod:`live.messages`, either from the first one or from a snapshot of another
window. A message that does not continue its content raises WindowGap; the window's owner then replaces it.
Memory is bounded even if the store fails: a segment leaves when it is durable and old, and at the latest when it
leaves the live playlist.

A request may wait for media that is about to arrive. Requests for the same playlist share one rendered text.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Self

from live import advance
from live.answer import Answer, Lifetime
from live.errors import GoneFromWindow, HeldTooLong, NotYet, SegmentUnfinished, TooFarAhead, WindowGap
from live.messages import BroadcastChanged, LiveMessage, SegmentStored, WindowMoved
from live.window_snapshot import WindowSnapshot
from live.window_texts import WindowTexts
from live.window_track import Position, WindowSegment, WindowTrack
from media.names import FIRST_MSN
from media.timescale import MILLISECONDS
from packager.cmaf.fragment import EMPTY_SEGMENT
from packager.cmaf.segment_writer import Init, Part, Segment
from packager.facts import BroadcastFacts, LowLatency, TrackFacts

# What requests wait for: the start of a broadcast, a playlist, a part, or a chunk of a growing segment.
WAITED_FOR = ("start", "playlist", "part", "segment")

# Seconds that a request waits for a broadcast that has begun but has nothing to play yet.
LONGEST_START_WAIT_S = 6.0


@dataclass(frozen=True, slots=True)
class Reload:
    """The delivery directives of a media playlist request: the position to wait for, and a delta update."""

    position: Position | None = None
    skip: bool = False


class LiveWindow:
    """The window of one broadcast; :meth:`receive` takes its messages in order. ``gone_before`` is the first MSN
    that is still in the DVR window; ``waiting`` counts the requests that wait, by what they wait for."""

    def __init__(self, stream: str, broadcast: str) -> None:
        self.stream = stream
        self.broadcast = broadcast
        self.facts: BroadcastFacts | None = None
        self.ready = False
        self.gone_before = 0
        self.tracks: dict[str, WindowTrack] = {}
        self._texts = WindowTexts()
        self._arrivals = 0
        self._facts_version = 0
        self._recalled_from = 0
        self.waiting = dict.fromkeys(WAITED_FOR, 0)
        self._became_ready = asyncio.Event()
        self._abandoned = False

    @classmethod
    def from_snapshot(cls, snapshot: WindowSnapshot) -> Self:
        window = cls(snapshot.stream, snapshot.broadcast)
        window.facts = snapshot.facts
        window.gone_before = snapshot.gone_before
        window.tracks = {track.track: WindowTrack.from_snapshot(track) for track in snapshot.tracks}
        window._texts = WindowTexts(snapshot.presentations)
        window._arrivals = snapshot.arrivals
        window._recalled_from = snapshot.recalled_from
        window.ready = snapshot.ready
        return window

    def snapshot(self) -> WindowSnapshot | None:
        """The complete state of the window; None before the first facts arrived."""
        if self.facts is None:
            return None
        return WindowSnapshot(
            stream=self.stream,
            broadcast=self.broadcast,
            facts=self.facts,
            ready=self.ready,
            gone_before=self.gone_before,
            arrivals=self._arrivals,
            recalled_from=self._recalled_from,
            presentations=self._texts.presentations,
            tracks=tuple(track.snapshot() for track in self.tracks.values()),
        )

    def receive(self, message: LiveMessage) -> None:
        """Raises WindowGap."""
        self._arrivals += 1
        if self.facts is None and not _is_beginning(message):
            raise WindowGap(f"broadcast {self.broadcast} began before its first message arrived here")
        match message:
            case Part():
                window_track = self.tracks.get(message.track)
                if window_track is None:
                    raise WindowGap(f"a part of {message.track} arrived before the track's init segment")
                window_track.add_part(message, self._arrivals)
            case Segment():
                self._add_segment(message)
            case Init():
                self.tracks.setdefault(message.track, WindowTrack(message.track)).add_init(message)
            case SegmentStored():
                window_track = self.tracks.get(message.track)
                if window_track is not None:
                    window_track.mark_stored(message.msn)
            case BroadcastChanged():
                self._change(message)
            case WindowMoved():
                self.gone_before = max(self.gone_before, message.msn)

    def abandon(self) -> None:
        """Wake every waiting request with WindowGap: this window receives no more messages."""
        self._abandoned = True
        self._became_ready.set()
        for track in self.tracks.values():
            track.wake()

    @property
    def ended(self) -> bool:
        return self.facts is not None and self.facts.ended

    def has_ended(self, track: str) -> bool:
        """Whether no more media of ``track`` follows: an encoder may still work on other tracks."""
        facts = self._track_facts(track)
        return self.ended or (facts is not None and facts.ended)

    @property
    def low_latency(self) -> LowLatency | None:
        return self.facts.low_latency if self.facts is not None else None

    @property
    def segment_s(self) -> float:
        """The longest duration of a segment in seconds."""
        return self.facts.segment_target_ms / MILLISECONDS if self.facts is not None else LONGEST_START_WAIT_S

    async def reload(self, track: str, directives: Reload, timeout: float) -> Answer:
        """The media playlist of ``track``, after waiting at most ``timeout`` seconds for the requested position.

        Raises NotYet, TooFarAhead, HeldTooLong, WindowGap.
        """
        window_track = self.tracks.get(track)
        if window_track is None:
            raise NotYet(self.segment_s)
        if not self.ready:
            await self.wait_ready(LONGEST_START_WAIT_S)
        position = directives.position
        if self.low_latency is None:
            directives, position = Reload(), None
        if (
            position is not None
            and not self.has_ended(track)
            and not window_track.has(window_track.normalize(position))
        ):
            if not self.is_near(track, position):
                raise TooFarAhead(f"the playlist of {track} will not reach segment {position.msn} for long")
            if not await self.wait_for(track, position, timeout):
                raise HeldTooLong(f"{track} did not reach segment {position.msn} within {timeout:g} s")
        recalled = self.recalled(track, position)
        text = self.playlist(track, recalled, skip=directives.skip)
        if text is None:
            raise self._not_yet(window_track, Position(window_track.end.msn if window_track.end else FIRST_MSN))
        if recalled is None:
            return self.momentary(text)
        return Answer(text, Lifetime.POSITION)

    def momentary(self, text: bytes) -> Answer:
        """An answer that the next message may change."""
        arrivals = self._arrivals
        return Answer(text, Lifetime.MOMENT, is_current=lambda: self._arrivals == arrivals and not self._abandoned)

    async def fetch_part(self, track: str, position: Position, timeout: float) -> Answer | None:
        """A part, after waiting at most ``timeout`` seconds for it. None if its segment may be in the store, at the
        position that :meth:`normalize` returns.

        Raises NotYet, HeldTooLong, GoneFromWindow, WindowGap.
        """
        data = self.part(track, position)
        window_track = self.tracks.get(track)
        if data is None and window_track is not None and self._may_wait_for(track, position):
            if not await self.wait_for(track, position, timeout, kind="part"):
                raise HeldTooLong(f"part {position.msn}.{position.part} of {track} did not arrive")
            data = self.part(track, position)
        if data is not None:
            return Answer(data, Lifetime.IMMUTABLE)
        position = self.normalize(track, position)
        if window_track is not None and self.is_coming(track, position.msn):
            raise self._not_yet(window_track, position)
        self._check_dvr(track, position.msn)
        return None

    async def fetch_segment(self, track: str, msn: int, timeout: float) -> Answer | None:
        """A segment, or a growing segment chunk by chunk, after waiting at most ``timeout`` seconds for each chunk.
        With low latency, a gap is an empty segment: LL-DASH players request it before they know of it, and give up
        at a 404. None if the segment may be in the store.

        Raises NotYet, HeldTooLong, GoneFromWindow, WindowGap.
        """
        window_track = self.tracks.get(track)
        data = self.media(track, msn)
        if data is None and window_track is not None and self._is_requested_gap(window_track, msn):
            data = EMPTY_SEGMENT
        if data is not None:
            return Answer(data, Lifetime.IMMUTABLE)
        if window_track is not None and self.is_coming(track, msn):
            expected = self._not_yet(window_track, Position(msn))
            # LL-DASH players request a segment before its first chunk exists.
            if not self._may_wait_for(track, Position(msn, 0)):
                raise expected
            chunks = self.growing(track, msn, timeout)
            try:
                return Answer(await anext(chunks), Lifetime.IMMUTABLE, chunks)
            except StopAsyncIteration:
                return Answer(EMPTY_SEGMENT, Lifetime.IMMUTABLE)
            except SegmentUnfinished as unfinished:
                raise HeldTooLong(str(unfinished)) from None
        self._check_dvr(track, msn)
        return None

    async def wait_ready(self, timeout: float) -> bool:
        """Wait, at most ``timeout`` seconds, until the broadcast is playable. Raises WindowGap."""
        return await self._wait("start", lambda: self.ready, lambda: self._became_ready, timeout)

    async def wait_for(self, track: str, position: Position, timeout: float, *, kind: str = "playlist") -> bool:
        """Wait until the track's playlist has reached ``position`` or the track has ended. ``kind`` is what the
        request is for. Raises WindowGap."""
        window_track = self.tracks[track]
        return await self._wait(
            kind,
            lambda: self.has_ended(track) or window_track.has(window_track.normalize(position)),
            lambda: window_track.changed,
            timeout,
        )

    def is_near(self, track: str, position: Position) -> bool:
        """Whether ``position`` exists or is so near that a request may wait for it (6.2.5.2)."""
        return advance.is_near(self.tracks.get(track), position, self.low_latency)

    def media(self, track: str, msn: int) -> bytes | None:
        """A complete segment's bytes; None if they are not in memory."""
        window_track = self.tracks.get(track)
        held = window_track.segments.get(msn) if window_track is not None else None
        return held.data if held is not None else None

    def part(self, track: str, position: Position) -> bytes | None:
        """A part's bytes; None if they are not in memory. A part beyond the last one of its segment is the first of
        the next segment, because a preload hint may have named it so."""
        window_track = self.tracks.get(track)
        if window_track is None:
            return None
        position = window_track.normalize(position)
        held = window_track.segments.get(position.msn)
        return held.part(position.part or 0) if held is not None else None

    def normalize(self, track: str, position: Position) -> Position:
        """See :meth:`WindowTrack.normalize`."""
        window_track = self.tracks.get(track)
        return window_track.normalize(position) if window_track is not None else position

    def init(self, track: str, number: int) -> bytes | None:
        window_track = self.tracks.get(track)
        init = window_track.inits.get(number) if window_track is not None else None
        return init.data if init is not None else None

    def is_first_fetch(self, track: str, position: Position) -> bool:
        """Whether this part is the newest of its segment that was ever requested; records the request."""
        held = self.tracks[track].segments.get(position.msn)
        if held is None or position.part is None or position.part < held.fetched:
            return False
        held.fetched = position.part + 1
        return True

    async def growing(self, track: str, msn: int, timeout: float) -> AsyncIterator[bytes]:
        """The chunks of segment ``msn`` as they arrive, up to its end; each is waited for at most ``timeout``
        seconds. A segment without media has no chunks. Raises SegmentUnfinished if the segment stops growing, so
        that no reader mistakes the beginning for the complete segment."""
        window_track, index = self.tracks[track], 0
        held: WindowSegment | None = None
        while True:
            # Keep the segment: it may leave the window before a slow reader has it all.
            held = held or window_track.segments.get(msn)
            if held is None and window_track.has(Position(msn)):
                return
            if held is not None and held.data is not None:
                read = sum(part.size for part in held.parts[:index])
                if read < len(held.data):
                    yield held.data[read:]
                return
            if held is not None and index < len(held.chunks):
                yield held.chunks[index]
                index += 1
            elif self.has_ended(track) or self._abandoned or not await self._wait_change(window_track, timeout):
                raise SegmentUnfinished(f"segment {msn} of {track} was not completed")

    def is_coming(self, track: str, msn: int) -> bool:
        """Whether segment ``msn`` is open or still to come."""
        window_track = self.tracks.get(track)
        return window_track is not None and (window_track.last_msn is None or msn > window_track.last_msn)

    def master(self, *, prefix: str = "") -> bytes | None:
        """The multivariant playlist, with ``prefix`` before every URI; None while the broadcast is not playable."""
        if self.facts is None or not self.ready:
            return None
        return self._texts.master(self.facts, prefix=prefix, facts_version=self._facts_version)

    def recalled(self, track: str, position: Position | None) -> Position | None:
        """``position``, normalized, if its playlist can still be rendered as it was; None if a request for it gets
        the current playlist."""
        window_track = self.tracks.get(track)
        if position is None or window_track is None or self.has_ended(track):
            return None
        position = window_track.normalize(position)
        reached = window_track.reached_at(position)
        return position if reached is not None and reached > self._recalled_from else None

    def playlist(self, track: str, position: Position | None = None, *, skip: bool = False) -> bytes | None:
        """The media playlist as it was when it reached ``position``, which must be recalled, or with None the
        current playlist. ``skip`` makes it a delta update. None before the first segment."""
        window_track, facts = self.tracks.get(track), self._track_facts(track)
        if window_track is None or facts is None or self.facts is None or not window_track.entries:
            return None
        return self._texts.media(
            self.facts, facts, self.tracks, position=position, skip=skip, version=self._arrivals
        )

    def manifest(self, *, base_url: str | None = None, now_ms: int) -> bytes | None:
        """The MPD; ``now_ms`` becomes its @publishTime if it changed. None until the broadcast is playable."""
        if self.facts is None or not self.ready:
            return None
        return self._texts.manifest(
            self.facts, self.tracks, base_url=base_url, now_ms=now_ms, facts_version=self._facts_version
        )

    def _add_segment(self, segment: Segment) -> None:
        window_track, facts = self.tracks.get(segment.track), self._track_facts(segment.track)
        if self.facts is None or window_track is None or facts is None:
            raise WindowGap(f"the facts about {segment.track} did not arrive")
        init = window_track.inits.get(segment.entry.init)
        if init is not None and facts.config_of(init.number) != init.config:
            raise WindowGap(f"the facts about init segment {init.number} of {segment.track} did not arrive")
        window_track.add_segment(segment, self.facts.playlist_window_ms, self._arrivals)
        # The rendition reports of earlier positions cannot be reproduced.
        self._recalled_from = max(self._recalled_from, window_track.recallable_from)

    def _change(self, message: BroadcastChanged) -> None:
        for facts in message.facts.tracks:
            window_track = self.tracks.get(facts.track)
            if window_track is None or not window_track.inits.keys() >= facts.configs.keys():
                raise WindowGap(f"an init segment of {facts.track} did not arrive")
        complete = {facts.track for facts in message.facts.tracks if facts.ended}
        ended = [track for name, track in self.tracks.items() if message.facts.ended or name in complete]
        if any(track.open_segment is not None for track in ended):
            raise WindowGap("a track ended, but its last segment did not arrive")
        before, self.facts, self.ready = self.facts, message.facts, message.ready
        self._facts_version += 1
        if before is not None and _shapes_playlists(before) != _shapes_playlists(self.facts):
            self._recalled_from = self._arrivals
        if self.ready:
            self._became_ready.set()
        else:
            self._became_ready.clear()
        for track in ended:
            track.wake()

    def _check_dvr(self, track: str, msn: int) -> None:
        """Raises GoneFromWindow."""
        if msn < self.gone_before:
            raise GoneFromWindow(f"segment {msn} of {track} has left the DVR window")

    def _may_wait_for(self, track: str, position: Position) -> bool:
        return self.low_latency is not None and not self.has_ended(track) and self.is_near(track, position)

    def _is_requested_gap(self, window_track: WindowTrack, msn: int) -> bool:
        entry = window_track.entry_of(msn)
        return self.low_latency is not None and entry is not None and entry.gap

    def _not_yet(self, window_track: WindowTrack, position: Position) -> NotYet:
        return NotYet(
            advance.expected_in(window_track, position, self.facts) if self.facts is not None else self.segment_s
        )

    async def _wait(
        self, kind: str, condition: Callable[[], bool], event: Callable[[], asyncio.Event], timeout: float
    ) -> bool:
        if condition():
            return True
        self.waiting[kind] += 1
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if self._abandoned:
                        raise WindowGap("messages of this broadcast are missing")
                    await event().wait()
        except TimeoutError:
            return False
        finally:
            self.waiting[kind] -= 1
        return True

    async def _wait_change(self, track: WindowTrack, timeout: float) -> bool:
        self.waiting["segment"] += 1
        try:
            async with asyncio.timeout(timeout):
                await track.changed.wait()
        except TimeoutError:
            return False
        finally:
            self.waiting["segment"] -= 1
        return True

    def _track_facts(self, name: str) -> TrackFacts | None:
        facts = self.facts
        return next((track for track in facts.tracks if track.track == name), None) if facts else None


def _is_beginning(message: LiveMessage) -> bool:
    """Whether ``message`` can be the first: nothing precedes it, or only messages that it replaces."""
    return isinstance(message, BroadcastChanged) and not message.facts.tracks


def _shapes_playlists(facts: BroadcastFacts) -> tuple[object, ...]:
    """The facts that every media playlist depends on."""
    return facts.segment_target_ms, facts.playlist_window_ms, facts.low_latency
