"""Watches all streams of the server while they are live: their warnings, and their live playlists as a viewer polls
them."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from packager import hls
from packager.errors import PackagerError
from tests.lab.server import Server

EVERY_S = 0.5
REQUEST_S = 20.0
STATUS_AGE_S = 1.0


@dataclass(slots=True)
class LiveTrack:
    """What a viewer has seen of one media playlist."""

    playlist: hls.MediaPlaylist | None = None
    durations: dict[int, tuple[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    state: str = "idle"
    warnings: dict[str, str] = field(default_factory=dict)
    tracks: dict[str, LiveTrack] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    late_s: float = 0.0


class Watch:
    def __init__(self, server: Server) -> None:
        self.failures_of_server: list[str] = []
        self._server = server
        self._streams: dict[str, Stream] = {}
        self._live: list[dict[str, Any]] = []
        self._polls = 0
        self._polled = asyncio.Condition()

    def warnings(self, stream: str) -> Mapping[str, str]:
        """The texts of all warnings so far, by code."""
        return dict(self._of(stream).warnings)

    def failures(self, stream: str) -> list[str]:
        """What was wrong with the live playlists, each only once."""
        return list(dict.fromkeys(self._of(stream).failures))

    def late_s(self, stream: str) -> float:
        """How far the end of a live playlist was behind the clock at most, in seconds."""
        return self._of(stream).late_s

    def forget(self, stream: str) -> None:
        self._streams.pop(stream, None)

    async def refreshed(self) -> None:
        """Wait until the warnings of this moment have been read. A status is up to a second old."""
        enough = self._polls + 1 + round(STATUS_AGE_S / EVERY_S)
        async with self._polled:
            await self._polled.wait_for(lambda: self._polls >= enough)

    async def ended(self, stream: str, timeout: float) -> bool:
        """Wait until the stream is not on air, and its broadcasts are completely recorded. The state is one that
        was read after this call."""
        after = self._polls + 2

        def has_ended() -> bool:
            return self._polls >= after and self._of(stream).state == "idle" and self._is_recorded(stream)

        try:
            async with asyncio.timeout(timeout), self._polled:
                await self._polled.wait_for(has_ended)
        except TimeoutError:
            return False
        return True

    def _is_recorded(self, stream: str) -> bool:
        records = (self._server.data / "store" / "catalogue" / "broadcasts" / stream).glob("*.json")
        return all(json.loads(record.read_text())["ended_at"] is not None for record in records)

    async def run(self) -> None:
        """Poll until cancelled. Playlists are read by a task of their own, so that no warning is missed."""
        async with (
            httpx.AsyncClient(base_url=self._server.http, timeout=REQUEST_S) as client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._poll_playlists(client))
            group.create_task(self._poll_states(client))

    async def _poll_states(self, client: httpx.AsyncClient) -> None:
        token = (self._server.data / "api-token").read_text().strip()
        while True:
            try:
                answer = await client.get("/api/v1/streams", headers={"Authorization": f"Bearer {token}"})
                answer.raise_for_status()
            except httpx.HTTPError as error:
                self.failures_of_server.append(f"the API does not answer: {error!r}")
            else:
                self._live = [status for status in answer.json() if self._take(status)]
            async with self._polled:
                self._polls += 1
                self._polled.notify_all()
            await asyncio.sleep(EVERY_S)

    async def _poll_playlists(self, client: httpx.AsyncClient) -> None:
        while True:
            for status in self._live:
                for rendition in status["renditions"]:
                    await self._look(client, status, rendition["track"])
            await asyncio.sleep(EVERY_S)

    def _of(self, stream: str) -> Stream:
        return self._streams.setdefault(stream, Stream())

    def _take(self, status: dict[str, Any]) -> bool:
        """Take a stream's status; returns whether it is on air."""
        stream = self._of(str(status["stream"]))
        stream.state = str(status["state"])
        for warning in status["warnings"]:
            # It is about the time without a publisher, and excuses no loss of what a publisher sent.
            if warning["code"] != "publisher-lost":
                stream.warnings[warning["code"]] = warning["text"]
        return stream.state != "idle"

    async def _look(self, client: httpx.AsyncClient, status: Mapping[str, Any], track: str) -> None:
        """Read a live media playlist, and compare it with the one before."""
        name, broadcast = status["stream"], status["broadcast"]
        stream = self._of(name)
        path, asked = f"/live/{name}/{broadcast}/{track}/media.m3u8", time.time()
        try:
            answer = await client.get(path)
            # Until the track has a segment, it has no playlist.
            if answer.status_code == 404:
                return
            answer.raise_for_status()
            playlist = hls.parse_media(answer.text)
        except (PackagerError, httpx.HTTPError) as error:
            stream.failures.append(f"{track}: the live playlist cannot be read: {error!r}")
            return
        seen = stream.tracks.setdefault(f"{broadcast}/{track}", LiveTrack())
        stream.failures += [f"{track}: the live playlist {text}" for text in compare(seen, playlist)]
        seen.playlist = playlist
        # While a publisher is away, nothing new can be in the playlist.
        if status["state"] == "live" and not playlist.ended and (end := end_of(playlist)) is not None:
            stream.late_s = max(stream.late_s, asked - end)


def end_of(playlist: hls.MediaPlaylist) -> float | None:
    """When the newest part ended, in Unix seconds, by EXT-X-PROGRAM-DATE-TIME."""
    opened = playlist.partial
    if opened is not None and opened.program_date_time is not None:
        return opened.program_date_time / 1000 + sum(part.duration_us for part in opened.parts) / 1_000_000
    newest = playlist.segments[-1] if playlist.segments else None
    if newest is None or newest.program_date_time is None:
        return None
    return newest.program_date_time / 1000 + newest.duration_us / 1_000_000


def compare(seen: LiveTrack, playlist: hls.MediaPlaylist) -> list[str]:
    """What a live playlist must not do (draft-pantos-hls-rfc8216bis, 6.2.1), compared with those seen before."""
    failures = []
    before = seen.playlist
    if before is not None:
        # When the broadcast has ended, its playlist lists all of it.
        if playlist.media_sequence < before.media_sequence and not playlist.ended:
            failures.append("has a lower media sequence number than before")
        if playlist.discontinuity_sequence < before.discontinuity_sequence:
            failures.append("has a lower discontinuity sequence number than before")
        if playlist.target_duration != before.target_duration and not playlist.ended:
            failures.append(f"changed its target duration: {before.target_duration} to {playlist.target_duration}")
        if len(playlist.segments) + playlist.media_sequence < len(before.segments) + before.media_sequence:
            failures.append("lost segments")
    for place, segment in enumerate(playlist.segments):
        msn = playlist.media_sequence + place
        known = seen.durations.setdefault(msn, (segment.uri, segment.duration_us))
        if known != (segment.uri, segment.duration_us):
            failures.append(f"changed segment {msn}: {known} to {(segment.uri, segment.duration_us)}")
        if (segment.duration_us + 500_000) // 1_000_000 > playlist.target_duration:
            failures.append(
                f"has a segment of {segment.duration_us} us with a target of {playlist.target_duration}"
            )
        longest = max((part.duration_us for part in segment.parts), default=0)
        if playlist.part_target_us is not None and longest > playlist.part_target_us + 1:
            failures.append(f"has a part of {longest} us with a part target of {playlist.part_target_us}")
    return failures
