"""The part of playlists that a low-latency viewer needs (draft-pantos-hls-rfc8216bis, 4.4).

Independent of the product's own parser, so that a mistake there is detected here.
"""

import gzip
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urljoin

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')
MICROSECONDS = 1_000_000
GZIP_MAGIC = b"\x1f\x8b"


class PlaylistError(Exception):
    """A viewer cannot follow the playlist; the text is the reason."""


class Position(NamedTuple):
    """A part's position: the media sequence number of its segment, and its index in that segment."""

    msn: int
    part: int


@dataclass(frozen=True, slots=True)
class Part:
    position: Position
    path: str
    duration_us: int
    independent: bool


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """``next`` is the first position that the playlist does not contain yet; ``reports`` maps the paths of other
    playlists to their last positions. ``durations`` maps the numbers of the listed segments to microseconds; a gap
    (4.4.4.7) has 0. All paths are absolute."""

    next: Position
    parts: tuple[Part, ...]
    durations: Mapping[int, int]
    hint: str | None
    map_path: str | None
    reports: Mapping[str, Position]
    can_block: bool
    can_skip_until_us: int | None
    part_hold_back_us: int
    ended: bool


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    """The paths of the video renditions, in the listed order, and of their audio rendition."""

    video: tuple[str, ...]
    audio: str | None


@dataclass(slots=True)
class _Reading:
    """The state while a media playlist is parsed."""

    path: str
    msn: int = 0
    part: int = 0
    parts: list[Part] = field(default_factory=list)
    duration_us: int = 0
    is_gap: bool = False
    durations: dict[int, int] = field(default_factory=dict)
    hint: str | None = None
    map_path: str | None = None
    reports: dict[str, Position] = field(default_factory=dict)
    control: dict[str, str] = field(default_factory=dict)
    ended: bool = False

    def line(self, line: str) -> None:
        if not line.startswith("#"):
            self.durations[self.msn] = 0 if self.is_gap else self.duration_us
            self.msn, self.part, self.is_gap = self.msn + 1, 0, False
            return
        tag, _, value = line.partition(":")
        match tag:
            case "#EXT-X-MEDIA-SEQUENCE":
                self.msn = int(value)
            case "#EXTINF":
                self.duration_us = microseconds(value.partition(",")[0])
            case "#EXT-X-GAP":
                self.is_gap = True
            case "#EXT-X-SKIP":
                self.msn += int(attributes(value)["SKIPPED-SEGMENTS"])
            case "#EXT-X-SERVER-CONTROL":
                self.control = attributes(value)
            case "#EXT-X-MAP":
                self.map_path = self._resolve(attributes(value)["URI"])
            case "#EXT-X-PART":
                self._add_part(attributes(value))
            case "#EXT-X-PRELOAD-HINT":
                hint = attributes(value)
                self.hint = self._resolve(hint["URI"]) if hint["TYPE"] == "PART" else self.hint
            case "#EXT-X-RENDITION-REPORT":
                report = attributes(value)
                last = Position(int(report["LAST-MSN"]), int(report.get("LAST-PART", 0)))
                self.reports[self._resolve(report["URI"])] = last
            case "#EXT-X-ENDLIST":
                self.ended = True

    def _add_part(self, part: dict[str, str]) -> None:
        if part.get("GAP") != "YES":
            position, independent = Position(self.msn, self.part), part.get("INDEPENDENT") == "YES"
            path = self._resolve(part["URI"])
            self.parts.append(Part(position, path, microseconds(part["DURATION"]), independent))
        self.part += 1

    def _resolve(self, uri: str) -> str:
        return urljoin(self.path, uri)


def parse_media(text: str, path: str) -> MediaPlaylist:
    """Raises PlaylistError."""
    reading = _Reading(path.partition("?")[0])
    try:
        for line in _lines(text):
            reading.line(line)
        skip, hold_back = reading.control.get("CAN-SKIP-UNTIL"), reading.control.get("PART-HOLD-BACK", "0")
        return MediaPlaylist(
            next=Position(reading.msn, reading.part),
            parts=tuple(reading.parts),
            durations=reading.durations,
            hint=reading.hint,
            map_path=reading.map_path,
            reports=reading.reports,
            can_block=reading.control.get("CAN-BLOCK-RELOAD") == "YES",
            can_skip_until_us=None if skip is None else microseconds(skip),
            part_hold_back_us=microseconds(hold_back),
            ended=reading.ended,
        )
    except (ValueError, KeyError, OverflowError) as error:
        raise PlaylistError(f"{path} cannot be read: {error!r}") from None


def parse_multivariant(text: str, path: str) -> MultivariantPlaylist:
    """Audio-only variants are omitted. Raises PlaylistError."""
    video: list[str] = []
    audio: dict[str, str] = {}
    group: str | None = None
    variant: dict[str, str] | None = None
    try:
        for line in _lines(text):
            tag, _, value = line.partition(":")
            if tag == "#EXT-X-MEDIA":
                media = attributes(value)
                if media["TYPE"] == "AUDIO" and "URI" in media:
                    audio.setdefault(media["GROUP-ID"], urljoin(path, media["URI"]))
            elif tag == "#EXT-X-STREAM-INF":
                variant = attributes(value)
            elif not line.startswith("#") and variant is not None:
                if "RESOLUTION" in variant:
                    video.append(urljoin(path, line))
                    group = group or variant.get("AUDIO")
                variant = None
    except (ValueError, KeyError) as error:
        raise PlaylistError(f"{path} cannot be read: {error!r}") from None
    if not video:
        raise PlaylistError(f"{path} names no video rendition")
    return MultivariantPlaylist(tuple(video), None if group is None else audio.get(group))


def attributes(text: str) -> dict[str, str]:
    """An attribute list (4.2), strings without their quotes."""
    return {name: value.strip('"') for name, value in ATTRIBUTE.findall(text)}


def microseconds(seconds: str) -> int:
    return round(float(seconds) * MICROSECONDS)


def decode(body: bytes) -> str:
    """A response's text, compressed or not. Raises PlaylistError."""
    try:
        text = gzip.decompress(body) if body.startswith(GZIP_MAGIC) else body
        return text.decode()
    except (OSError, EOFError, ValueError) as error:
        raise PlaylistError(f"the text cannot be decoded: {error!r}") from None


class MediaReader:
    """Parses each version of a playlist once for all viewers of this process."""

    def __init__(self, *, keep: int = 256) -> None:
        self._keep = keep
        self._known: OrderedDict[tuple[str, bytes], MediaPlaylist] = OrderedDict()

    def read(self, body: bytes, path: str) -> MediaPlaylist:
        """Raises PlaylistError."""
        key = (path.partition("?")[0], body)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = parse_media(decode(body), path)
            if len(self._known) > self._keep:
                self._known.popitem(last=False)
        return known


def _lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line]
    if not lines or lines[0] != "#EXTM3U":
        raise ValueError("it does not begin with #EXTM3U")
    return lines
