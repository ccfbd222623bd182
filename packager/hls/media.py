"""Media playlists as values (draft-pantos-hls-rfc8216bis, 4.4.3 to 4.4.5).

Durations are integer microseconds, wall-clock times integer milliseconds since the Unix epoch. Parts and segments
render their lines once, at construction: a live playlist is rendered for every new part and segment, and only its
newest lines differ from the previous rendering.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from packager.hls.attributes import attribute_list, quoted, uri_line
from packager.playlist_errors import UnrepresentableValue
from packager.timestamps import decimal_seconds, utc_text


class PlaylistType(StrEnum):
    VOD = "VOD"
    EVENT = "EVENT"


@dataclass(frozen=True, slots=True)
class PartialSegment:
    """A Partial Segment (4.4.4.9). ``byte_range`` is (length, offset) in ``uri``."""

    uri: str
    duration_us: int
    independent: bool = False
    gap: bool = False
    byte_range: tuple[int, int] | None = None
    line: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        byte_range = f'"{self.byte_range[0]}@{self.byte_range[1]}"' if self.byte_range is not None else None
        attributes = attribute_list(
            (
                ("DURATION", decimal_seconds(self.duration_us)),
                ("URI", quoted(self.uri)),
                ("INDEPENDENT", "YES" if self.independent else None),
                ("BYTERANGE", byte_range),
                ("GAP", "YES" if self.gap else None),
            )
        )
        object.__setattr__(self, "line", f"#EXT-X-PART:{attributes}\n")


@dataclass(frozen=True, slots=True)
class MediaSegment:
    """A Media Segment and the tags that apply to it. Its position in the playlist gives its Media Sequence Number.

    ``map_uri`` is the URI of its Media Initialization Section. ``lines`` are its rendered lines without
    EXT-X-DISCONTINUITY and EXT-X-MAP, which depend on the segment before it.
    """

    uri: str
    duration_us: int
    map_uri: str | None = None
    discontinuity: bool = False
    program_date_time: int | None = None
    gap: bool = False
    parts: tuple[PartialSegment, ...] = ()
    lines: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lines = [] if self.program_date_time is None else [program_date_time_line(self.program_date_time)]
        lines += [part.line for part in self.parts]
        if self.gap:
            lines.append("#EXT-X-GAP\n")
        lines.append(f"#EXTINF:{decimal_seconds(self.duration_us)},\n{uri_line(self.uri)}\n")
        object.__setattr__(self, "lines", "".join(lines))


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """The unfinished segment at the live edge: parts without an EXTINF yet."""

    parts: tuple[PartialSegment, ...]
    map_uri: str | None = None
    discontinuity: bool = False
    program_date_time: int | None = None

    @property
    def lines(self) -> str:
        parts = "".join(part.line for part in self.parts)
        return parts if self.program_date_time is None else program_date_time_line(self.program_date_time) + parts


@dataclass(frozen=True, slots=True)
class ServerControl:
    """EXT-X-SERVER-CONTROL (4.4.3.8)."""

    can_block_reload: bool = False
    hold_back_us: int | None = None
    part_hold_back_us: int | None = None
    can_skip_until_us: int | None = None


@dataclass(frozen=True, slots=True)
class PreloadHint:
    """EXT-X-PRELOAD-HINT of a part (4.4.5.3)."""

    uri: str
    byte_range_start: int | None = None
    byte_range_length: int | None = None


@dataclass(frozen=True, slots=True)
class RenditionReport:
    """EXT-X-RENDITION-REPORT (4.4.5.4): the last segment and part in another rendition's playlist."""

    uri: str
    last_msn: int
    last_part: int | None = None


@dataclass(frozen=True, slots=True)
class StartPoint:
    """EXT-X-START (4.4.2.2). A negative ``offset_us`` counts from the end of the playlist."""

    offset_us: int
    precise: bool = False


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A Media Playlist. ``target_duration`` is whole seconds; no segment's duration may round to more (4.4.3.1).

    ``media_sequence`` is the number of the first segment, including skipped ones. ``skipped_segments`` is nonzero
    only in a Playlist Delta Update, where ``segments`` are the remaining ones. Raises UnrepresentableValue if a
    number is negative.
    """

    target_duration: int
    media_sequence: int = 0
    segments: tuple[MediaSegment, ...] = ()
    discontinuity_sequence: int = 0
    independent_segments: bool = False
    playlist_type: PlaylistType | None = None
    ended: bool = False
    start: StartPoint | None = None
    server_control: ServerControl | None = None
    part_target_us: int | None = None
    skipped_segments: int = 0
    partial: OpenSegment | None = None
    preload_hint: PreloadHint | None = None
    rendition_reports: tuple[RenditionReport, ...] = ()

    def __post_init__(self) -> None:
        numbers = (self.media_sequence, self.discontinuity_sequence, self.skipped_segments, self.target_duration)
        if min(numbers) < 0:
            raise UnrepresentableValue("a media playlist has a negative sequence number or target duration")


def program_date_time_line(unix_ms: int) -> str:
    return f"#EXT-X-PROGRAM-DATE-TIME:{utc_text(unix_ms)}\n"


def target_duration(longest_us: int) -> int:
    """The smallest EXT-X-TARGETDURATION (4.4.3.1) that allows a segment of ``longest_us``: the nearest second, at
    least 1."""
    return max(1, (longest_us + 500_000) // 1_000_000)
