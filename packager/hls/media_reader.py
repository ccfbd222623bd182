"""Parses the lines of a media playlist into the values of :mod:`packager.hls.media`."""

from packager.hls.media import (
    MediaPlaylist,
    MediaSegment,
    OpenSegment,
    PartialSegment,
    PlaylistType,
    PreloadHint,
    RenditionReport,
    ServerControl,
    StartPoint,
)
from packager.hls.values import Attributes, byte_range, integer, start_point
from packager.playlist_errors import UnrepresentableValue
from packager.timestamps import parse_decimal_seconds, parse_utc


class MediaReader:
    """Takes a media playlist's tags and URIs in order; :meth:`finish` returns the playlist.

    Every method raises ValueError for invalid text.
    """

    def __init__(self) -> None:
        self._target_duration: int | None = None
        self._media_sequence = 0
        self._discontinuity_sequence = 0
        self._independent_segments = False
        self._playlist_type: PlaylistType | None = None
        self._ended = False
        self._start: StartPoint | None = None
        self._server_control: ServerControl | None = None
        self._part_target_us: int | None = None
        self._skipped_segments = 0
        self._preload_hint: PreloadHint | None = None
        self._rendition_reports: list[RenditionReport] = []
        self._segments: list[MediaSegment] = []
        self._map_uri: str | None = None
        self._begin_segment()

    def _begin_segment(self) -> None:
        self._duration_us: int | None = None
        self._discontinuity = False
        self._program_date_time: int | None = None
        self._gap = False
        self._parts: list[PartialSegment] = []

    def tag(self, name: str, value: str) -> None:
        """Take the tag ``#name:value``. Unknown tags are ignored."""
        if not (self._segment_tag(name, value) or self._low_latency_tag(name, value)):
            self._playlist_tag(name, value)

    def uri(self, uri: str) -> None:
        """Take a URI line, which completes a segment."""
        if self._duration_us is None:
            raise ValueError("a URI line without EXTINF")
        try:
            segment = MediaSegment(
                uri=uri,
                duration_us=self._duration_us,
                map_uri=self._map_uri,
                discontinuity=self._discontinuity,
                program_date_time=self._program_date_time,
                gap=self._gap,
                parts=tuple(self._parts),
            )
        except UnrepresentableValue as error:
            raise ValueError(str(error)) from None
        self._segments.append(segment)
        self._begin_segment()

    def finish(self) -> MediaPlaylist:
        if self._target_duration is None:
            raise ValueError("a media playlist needs EXT-X-TARGETDURATION")
        if self._duration_us is not None:
            raise ValueError("EXTINF without a URI line")
        return MediaPlaylist(
            target_duration=self._target_duration,
            media_sequence=self._media_sequence,
            segments=tuple(self._segments),
            discontinuity_sequence=self._discontinuity_sequence,
            independent_segments=self._independent_segments,
            playlist_type=self._playlist_type,
            ended=self._ended,
            start=self._start,
            server_control=self._server_control,
            part_target_us=self._part_target_us,
            skipped_segments=self._skipped_segments,
            partial=self._partial(),
            preload_hint=self._preload_hint,
            rendition_reports=tuple(self._rendition_reports),
        )

    def _partial(self) -> OpenSegment | None:
        if not self._parts:
            return None
        return OpenSegment(tuple(self._parts), self._map_uri, self._discontinuity, self._program_date_time)

    def _segment_tag(self, name: str, value: str) -> bool:
        match name:
            case "EXTINF":
                self._duration_us = parse_decimal_seconds(value.partition(",")[0])
            case "EXT-X-DISCONTINUITY":
                self._discontinuity = True
            case "EXT-X-PROGRAM-DATE-TIME":
                self._program_date_time = parse_utc(value)
            case "EXT-X-MAP":
                self._map_uri = Attributes(value).string("URI")
            case "EXT-X-GAP":
                self._gap = True
            case _:
                return False
        return True

    def _low_latency_tag(self, name: str, value: str) -> bool:
        match name:
            case "EXT-X-PART":
                self._parts.append(_part(Attributes(value)))
            case "EXT-X-PART-INF":
                self._part_target_us = Attributes(value).microseconds("PART-TARGET")
            case "EXT-X-SERVER-CONTROL":
                self._server_control = _server_control(Attributes(value))
            case "EXT-X-PRELOAD-HINT":
                hint = Attributes(value)
                if hint.text("TYPE") == "PART":
                    self._preload_hint = _preload_hint(hint)
            case "EXT-X-RENDITION-REPORT":
                self._rendition_reports.append(_rendition_report(Attributes(value)))
            case "EXT-X-SKIP":
                self._skipped_segments = Attributes(value).integer("SKIPPED-SEGMENTS")
            case _:
                return False
        return True

    def _playlist_tag(self, name: str, value: str) -> None:
        match name:
            case "EXT-X-TARGETDURATION":
                self._target_duration = integer(value)
            case "EXT-X-MEDIA-SEQUENCE":
                self._media_sequence = integer(value)
            case "EXT-X-DISCONTINUITY-SEQUENCE":
                self._discontinuity_sequence = integer(value)
            case "EXT-X-INDEPENDENT-SEGMENTS":
                self._independent_segments = True
            case "EXT-X-PLAYLIST-TYPE":
                self._playlist_type = PlaylistType(value)
            case "EXT-X-START":
                self._start = start_point(value)
            case "EXT-X-ENDLIST":
                self._ended = True


def _part(attributes: Attributes) -> PartialSegment:
    range_text = attributes.optional_string("BYTERANGE")
    try:
        return PartialSegment(
            uri=attributes.string("URI"),
            duration_us=attributes.microseconds("DURATION"),
            independent=attributes.yes("INDEPENDENT"),
            gap=attributes.yes("GAP"),
            byte_range=None if range_text is None else byte_range(range_text),
        )
    except UnrepresentableValue as error:
        raise ValueError(str(error)) from None


def _server_control(attributes: Attributes) -> ServerControl:
    return ServerControl(
        can_block_reload=attributes.yes("CAN-BLOCK-RELOAD"),
        hold_back_us=attributes.optional_microseconds("HOLD-BACK"),
        part_hold_back_us=attributes.optional_microseconds("PART-HOLD-BACK"),
        can_skip_until_us=attributes.optional_microseconds("CAN-SKIP-UNTIL"),
    )


def _preload_hint(attributes: Attributes) -> PreloadHint:
    return PreloadHint(
        uri=attributes.string("URI"),
        byte_range_start=attributes.optional_integer("BYTERANGE-START"),
        byte_range_length=attributes.optional_integer("BYTERANGE-LENGTH"),
    )


def _rendition_report(attributes: Attributes) -> RenditionReport:
    return RenditionReport(
        uri=attributes.string("URI"),
        last_msn=attributes.integer("LAST-MSN"),
        last_part=attributes.optional_integer("LAST-PART"),
    )
