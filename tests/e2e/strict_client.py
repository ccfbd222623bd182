"""A low-latency HLS client that follows every rule and records the server's answers, so that tests can check them.

It follows each rendition by blocking reload, part by part, fetches each part as soon as a playlist lists it, and
requests each preload hint when it appears (draft-pantos-hls-rfc8216bis, 6.3).
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urljoin

import httpx
import m3u8

from packager import hls
from packager.hls import MediaPlaylist

# With every n-th reload, a delta update for the same position is also requested.
DELTA_EVERY = 3
PATIENCE_S = 20.0

Place = tuple[int, int]


def place_of(uri: str) -> Place:
    found = re.fullmatch(r"([0-9]+)\.([0-9]+)\.m4s", uri)
    assert found is not None, uri
    return int(found[1]), int(found[2])


def parts_of(playlist: MediaPlaylist) -> dict[Place, hls.PartialSegment]:
    parts = [part for segment in playlist.segments for part in segment.parts]
    parts += playlist.partial.parts if playlist.partial is not None else ()
    return {place_of(part.uri): part for part in parts}


def ends_of(playlist: MediaPlaylist) -> dict[Place, float]:
    """The end of each part in Unix seconds, by EXT-X-PROGRAM-DATE-TIME."""
    ends = {}
    for segment in (*playlist.segments, *((playlist.partial,) if playlist.partial is not None else ())):
        assert segment.program_date_time is not None
        end = segment.program_date_time / 1000
        for part in segment.parts:
            end += part.duration_us / 1_000_000
            ends[place_of(part.uri)] = end
    return ends


@dataclass(frozen=True, slots=True)
class Reload:
    """One answer to a blocking reload; ``sent`` and ``got`` are in Unix seconds."""

    requested: Place
    sent: float
    got: float
    playlist: MediaPlaylist
    delta: MediaPlaylist | None

    @property
    def newest(self) -> Place:
        return max(parts_of(self.playlist))


@dataclass(frozen=True, slots=True)
class Fetch:
    """One answer with media; ``took`` is in seconds."""

    status: int
    body: bytes
    took: float


@dataclass(slots=True)
class Rendition:
    """A record of one media playlist, from joining to EXT-X-ENDLIST."""

    url: str
    reloads: list[Reload] = field(default_factory=list)
    parts: dict[Place, Fetch] = field(default_factory=dict)
    hints: dict[Place, Fetch] = field(default_factory=dict)
    segments: dict[int, bytes] = field(default_factory=dict)
    last: MediaPlaylist | None = None
    joined: MediaPlaylist | None = None

    @property
    def track(self) -> str:
        return self.url.split("/")[-2]

    @property
    def gaps(self) -> list[float]:
        """Seconds between consecutive answers."""
        return [after.got - before.got for before, after in pairwise(self.reloads)]

    @property
    def lateness(self) -> list[float]:
        """Seconds from a part's end, by its program date-time, to the answer that lists it."""
        return [reload.got - ends_of(reload.playlist)[reload.newest] for reload in self.reloads]


async def follow(client: httpx.AsyncClient, master: str) -> dict[str, Rendition]:
    """Follow all renditions of a broadcast concurrently to its end; the result is by track."""
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await client.get(master)).status_code != 200:
            await asyncio.sleep(0.1)
    playlist = m3u8.loads(answer.text, uri=master)
    uris = [variant.absolute_uri for variant in playlist.playlists]
    uris += [media.absolute_uri for media in playlist.media if media.uri]
    renditions = [Rendition(uri) for uri in dict.fromkeys(uris)]
    await asyncio.gather(*(_follow(client, rendition) for rendition in renditions))
    return {rendition.track: rendition for rendition in renditions}


async def _follow(client: httpx.AsyncClient, rendition: Rendition) -> None:
    joined = await client.get(rendition.url)
    assert joined.status_code == 200, (rendition.url, joined.status_code)
    playlist = rendition.joined = hls.parse_media(joined.text)
    async with asyncio.TaskGroup() as fetches:
        requested: set[Place] = set()
        while not playlist.ended:
            for place in parts_of(playlist).keys() - rendition.parts.keys() - requested:
                requested.add(place)
                fetches.create_task(_fetch(client, rendition, place, rendition.parts))
            hint = playlist.preload_hint
            assert hint is not None, "no hint"
            if place_of(hint.uri) not in rendition.hints:
                fetches.create_task(_fetch(client, rendition, place_of(hint.uri), rendition.hints))
            playlist = await _reload(client, rendition, max(parts_of(playlist)), fetches)
    rendition.last = playlist
    for segment in playlist.segments:
        msn = int(segment.uri.removesuffix(".m4s"))
        rendition.segments[msn] = (await client.get(urljoin(rendition.url, segment.uri))).content


async def _reload(
    client: httpx.AsyncClient, rendition: Rendition, newest: Place, tasks: asyncio.TaskGroup
) -> MediaPlaylist:
    """Request the playlist with the part after ``newest``."""
    requested = (newest[0], newest[1] + 1)
    directives = f"_HLS_msn={requested[0]}&_HLS_part={requested[1]}"
    delta = None
    if len(rendition.reloads) % DELTA_EVERY == 0:
        delta = tasks.create_task(client.get(f"{rendition.url}?{directives}&_HLS_skip=YES"))
    sent = time.time()
    answer = await client.get(f"{rendition.url}?{directives}")
    got = time.time()
    assert answer.status_code == 200, (rendition.url, directives, answer.status_code, answer.text)
    playlist = hls.parse_media(answer.text)
    if not playlist.ended:
        shorter = hls.parse_media((await delta).text) if delta is not None else None
        rendition.reloads.append(Reload(requested, sent, got, playlist, shorter))
    return playlist


async def _fetch(client: httpx.AsyncClient, rendition: Rendition, place: Place, into: dict[Place, Fetch]) -> None:
    began = time.monotonic()
    answer = await client.get(urljoin(rendition.url, f"{place[0]}.{place[1]}.m4s"))
    into[place] = Fetch(answer.status_code, answer.content, time.monotonic() - began)
