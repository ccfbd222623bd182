"""A strict low-latency HLS client (draft-pantos-hls-rfc8216bis): it follows all renditions of a broadcast by
blocking reload, fetches every part and every segment, and checks what a server must not do.

A stall is the time between the arrivals of two parts of a track, minus the duration of the second: how long a
viewer at the live edge, without any buffer, sees a still picture.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urljoin

import httpx

from packager import hls
from packager.errors import PackagerError
from packager.hls import MediaPlaylist
from tests.chaos.downtime import Downtime

REQUEST_S = 30.0
PAUSE_S = 0.25
SHORTEST_STALL_S = 0.25
# A stall at the end of the time that is judged. It is longer than a part and its delay.
LASTING_S = 1.5
# Answers that ask to try again: with Retry-After they are allowed waits.
WAITS = (404, 503)
# A Partial Segment lasts 85 % of the target at least, unless it is the last of its segment (4.4.4.9).
SHORTEST_PART = 0.85
SUM_ROUNDING_US = 50

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stall:
    """``ended`` is a time of the monotonic clock, ``length`` is in seconds."""

    ended: float
    length: float
    track: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a playlist promised of a segment."""

    uri: str
    duration_us: int
    discontinuity: bool
    map_uri: str | None
    program_date_time: int | None


@dataclass(slots=True)
class Rules:
    """What may not change from one version of a media playlist to the next (6.2.1, 6.2.2)."""

    playlist: MediaPlaylist | None = None
    entries: dict[int, Entry] = field(default_factory=dict)
    gaps: dict[int, bool] = field(default_factory=dict)
    parts: dict[Place, hls.PartialSegment] = field(default_factory=dict)
    seen_at: dict[int, float] = field(default_factory=dict)

    def take(self, new: MediaPlaylist, now: float, downtime: Downtime) -> Iterator[str]:
        """What is wrong with the new version, in words."""
        before, self.playlist = self.playlist, new
        end = new.media_sequence + len(new.segments)
        if before is not None and not new.ended:
            yield from self._compare(before, new, end)
        if not new.ended:
            if new.server_control is None or not new.server_control.can_block_reload:
                yield "cannot be reloaded by blocking"
            if new.preload_hint is None:
                yield "has no preload hint"
        for place, segment in enumerate(new.segments):
            msn = new.media_sequence + place
            seen = self.seen_at.setdefault(msn, now)
            # A segment that was made when the server was killed becomes a gap (docs/storage.md).
            excused = downtime.excuses(seen) and segment.gap
            if (segment.duration_us + 500_000) // 1_000_000 > new.target_duration:
                yield f"segment {msn} lasts {segment.duration_us} us, the target duration is {new.target_duration}"
            entry = Entry(
                segment.uri,
                segment.duration_us,
                segment.discontinuity,
                segment.map_uri,
                segment.program_date_time,
            )
            known = self.entries.setdefault(msn, entry)
            if known != entry and not excused and not new.ended:
                yield f"changed segment {msn}: {known} to {entry}"
            was_gap = self.gaps.setdefault(msn, segment.gap)
            if was_gap != segment.gap and not excused:
                yield f"segment {msn} changed: gap {was_gap} to {segment.gap}"
            self.gaps[msn] = segment.gap
            yield from self._parts(new, msn, segment.parts, excused)
            total = sum(part.duration_us for part in segment.parts)
            if segment.parts and abs(total - segment.duration_us) > SUM_ROUNDING_US and not excused:
                yield f"the parts of segment {msn} last {total} us, the segment {segment.duration_us} us"
        if new.partial is not None:
            self.seen_at.setdefault(end, now)
            yield from self._parts(new, end, new.partial.parts, False)
        for msn in [msn for msn in self.entries if msn < new.media_sequence]:
            del self.entries[msn], self.gaps[msn]
        for at in [at for at in self.parts if at[0] < new.media_sequence]:
            del self.parts[at]

    def _compare(self, before: MediaPlaylist, new: MediaPlaylist, end: int) -> Iterator[str]:
        if new.target_duration != before.target_duration:
            yield f"changed its target duration from {before.target_duration} to {new.target_duration}"
        if new.part_target_us != before.part_target_us:
            yield f"changed its part target from {before.part_target_us} to {new.part_target_us}"
        if new.media_sequence < before.media_sequence:
            yield f"has the media sequence number {new.media_sequence} after {before.media_sequence}"
            return
        if end < before.media_sequence + len(before.segments):
            yield "lost segments at its end"
        left = before.segments[: new.media_sequence - before.media_sequence]
        expected = before.discontinuity_sequence + sum(segment.discontinuity for segment in left)
        # What left the window between two reloads was in neither of them.
        if len(left) < len(before.segments) and new.discontinuity_sequence != expected:
            yield f"has the discontinuity sequence number {new.discontinuity_sequence}, not {expected}"
        if new.discontinuity_sequence < before.discontinuity_sequence:
            yield "has a lower discontinuity sequence number than before"

    def _parts(
        self, new: MediaPlaylist, msn: int, parts: Sequence[hls.PartialSegment], excused: bool
    ) -> Iterator[str]:
        target = new.part_target_us or 0
        for place, part in enumerate(parts):
            known = self.parts.setdefault((msn, place), part)
            if known != part and not excused:
                yield f"changed part {msn}.{place}: {known} to {part}"
            if part.duration_us > target + 1:
                yield f"part {msn}.{place} lasts {part.duration_us} us, the part target is {target}"
            if place + 1 < len(parts) and part.duration_us < SHORTEST_PART * target and not part.gap:
                yield f"part {msn}.{place} lasts {part.duration_us} us, less than 85 % of the part target {target}"


class Viewer:
    """Watches ``stream``. ``digests`` has the SHA-256 of each segment that it got, by its path below ``/live/``;
    ``errors`` what it must not see, ``waits`` the answers that asked it to try again."""

    def __init__(self, base: str, stream: str, downtime: Downtime) -> None:
        self.stream = stream
        self.errors: Counter[str] = Counter()
        self.error_times: list[tuple[float, str]] = []
        self.waits: Counter[str] = Counter()
        self.stalls: list[Stall] = []
        self.digests: dict[str, str] = {}
        self.arrived: dict[str, float] = {}
        self.parts = 0
        self.compared = 0
        self._base = base
        self._downtime = downtime

    async def run(self) -> None:
        """Watch until the broadcast has ended."""
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=self._base, timeout=REQUEST_S, limits=limits) as client:
            master = None
            while master is None:
                master = await self._get(client, f"/live/{self.stream}/master.m3u8", "the multivariant playlist")
                await asyncio.sleep(PAUSE_S)
            playlist = hls.parse_multivariant(master.decode())
            uris = [variant.uri for variant in playlist.variants]
            uris += [audio.uri for audio in playlist.audio if audio.uri is not None]
            async with asyncio.TaskGroup() as group:
                for uri in dict.fromkeys(uris):
                    path = urljoin(f"/live/{self.stream}/master.m3u8", uri)
                    group.create_task(self._follow(client, path))

    def plays(self, since: float) -> bool:
        """Whether media of the source's tracks arrived after ``since``."""
        source = [at for track, at in self.arrived.items() if track in ("vsource", "asource")]
        return bool(source) and min(source) > since

    def stalled_s(self, begin: float, end: float, tracks: Sequence[str] = ("vsource", "asource")) -> float:
        """The longest stall that ended between two times, or had not ended by then."""
        ended = [x.length for x in self.stalls if begin <= x.ended < end and x.track in tracks]
        lasting = [end - at for track, at in self.arrived.items() if track in tracks and at < end]
        return max([*ended, *(length for length in lasting if length > LASTING_S)], default=0.0)

    def _fail(self, text: str) -> None:
        if not self.errors[text]:
            self.error_times.append((time.monotonic(), text))
        self.errors[text] += 1

    async def _follow(self, client: httpx.AsyncClient, path: str) -> None:
        track, rules, query = path.split("/")[-2], Rules(), ""
        media: dict[int, dict[int, bytes]] = {}
        fetched: set[Place] = set()
        whole: set[int] = set()
        joined = False
        while True:
            body = await self._get(client, path + query, f"{track}'s playlist")
            if body is None:
                await asyncio.sleep(PAUSE_S)
                continue
            try:
                playlist = hls.parse_media(body.decode())
            except PackagerError as error:
                self._fail(f"{track}: the playlist cannot be read: {error}")
                await asyncio.sleep(PAUSE_S)
                continue
            for text in rules.take(playlist, time.monotonic(), self._downtime):
                self._fail(f"{track}: the playlist {text}")
            if not joined:
                # It begins at the live edge, with the segment that is not complete yet.
                joined = True
                whole.update(range(playlist.media_sequence + len(playlist.segments)))
            segments = [
                (playlist.media_sequence + place, segment.parts, segment)
                for place, segment in enumerate(playlist.segments)
            ]
            opened = playlist.partial.parts if playlist.partial is not None else ()
            last = playlist.media_sequence + len(playlist.segments)
            for msn, parts, segment in [*segments, (last, opened, None)]:
                if msn in whole:
                    continue
                await self._fetch_parts(client, path, track, msn, parts, fetched, media, rules)
                if segment is not None:
                    whole.add(msn)
                    if not segment.gap:
                        await self._check(client, path, track, msn, segment, media.get(msn, {}), rules)
                    media.pop(msn, None)
            whole = {msn for msn in whole if msn >= playlist.media_sequence}
            fetched = {at for at in fetched if at[0] >= playlist.media_sequence}
            if playlist.ended:
                return
            query = f"?_HLS_msn={last}&_HLS_part={len(opened)}"

    async def _fetch_parts(
        self,
        client: httpx.AsyncClient,
        path: str,
        track: str,
        msn: int,
        parts: Sequence[hls.PartialSegment],
        fetched: set[Place],
        media: dict[int, dict[int, bytes]],
        rules: Rules,
    ) -> None:
        for place, part in enumerate(parts):
            if (msn, place) in fetched:
                continue
            fetched.add((msn, place))
            if part.gap:
                continue
            data = await self._get(client, urljoin(path, part.uri), f"a part of {track}", rules.seen_at[msn])
            if data is not None:
                media.setdefault(msn, {})[place] = data
                self.parts += 1
                self._arrived(track, part.duration_us)

    async def _check(
        self,
        client: httpx.AsyncClient,
        path: str,
        track: str,
        msn: int,
        segment: hls.MediaSegment,
        parts: dict[int, bytes],
        rules: Rules,
    ) -> None:
        """Fetch a complete segment, and compare it with its parts."""
        url = urljoin(path, segment.uri)
        data = await self._get(client, url, f"a segment of {track}", rules.seen_at[msn])
        if data is None:
            return
        self.digests[url.removeprefix("/live/")] = sha256(data).hexdigest()
        if segment.parts and len(parts) == len(segment.parts):
            self.compared += 1
            if data != b"".join(parts[place] for place in range(len(parts))):
                self._fail(f"{track}: segment {msn} is not the concatenation of its parts")
        elif not parts:
            self._arrived(track, segment.duration_us)

    def _arrived(self, track: str, duration_us: int) -> None:
        now = time.monotonic()
        before = self.arrived.get(track)
        self.arrived[track] = now
        if before is not None and (length := now - before - duration_us / 1_000_000) > SHORTEST_STALL_S:
            self.stalls.append(Stall(now, length, track))

    async def _get(
        self, client: httpx.AsyncClient, path: str, what: str, listed: float | None = None
    ) -> bytes | None:
        """The body of a 200. ``listed`` is when a playlist first listed it."""
        sent = time.monotonic()
        try:
            answer = await client.get(path)
        except httpx.TransportError as error:
            if self._downtime.excuses(sent):
                self.waits["the server was down"] += 1
            else:
                self._fail(f"{what}: {type(error).__name__} after {time.monotonic() - sent:.1f} s")
            return None
        if answer.status_code == 200:
            return answer.content
        shown = f"{what}: {answer.status_code}"
        if listed is not None and self._downtime.excuses(listed):
            self.waits[f"{shown}, listed before the server was killed"] += 1
        elif answer.status_code in WAITS and "retry-after" in answer.headers and listed is None:
            self.waits[f"{shown} with Retry-After"] += 1
        else:
            self._fail(f"{shown} for {path}: {answer.text[:200]}")
        return None
