"""Renders playlists as text (draft-pantos-hls-rfc8216bis, 4.4). The text ends with a line feed."""

from collections.abc import Iterator
from fractions import Fraction

from packager.hls.attributes import attribute_list, quoted, uri_line
from packager.hls.media import (
    MediaPlaylist,
    MediaSegment,
    OpenSegment,
    PreloadHint,
    RenditionReport,
    ServerControl,
    StartPoint,
)
from packager.hls.multivariant import AudioRendition, MultivariantPlaylist, Variant
from packager.hls.version import required_version
from packager.playlist_errors import UnrepresentableValue
from packager.timestamps import decimal_seconds


def render(playlist: MediaPlaylist | MultivariantPlaylist) -> str:
    """Render a playlist of either kind. Raises UnrepresentableValue."""
    if isinstance(playlist, MediaPlaylist):
        return render_media(playlist)
    return render_multivariant(playlist)


def render_media(playlist: MediaPlaylist) -> str:
    """Raises UnrepresentableValue for a value that a playlist cannot express."""
    lines = [*_media_header(playlist)]
    map_uri: str | None = None
    for segment in playlist.segments:
        if segment.discontinuity or segment.map_uri != map_uri:
            lines.append(_discontinuity_and_map(segment, map_uri))
            map_uri = segment.map_uri
        lines.append(segment.lines)
    if playlist.partial is not None:
        lines.append(_discontinuity_and_map(playlist.partial, map_uri))
        lines.append(playlist.partial.lines)
    if playlist.preload_hint is not None:
        lines.append(_preload_hint(playlist.preload_hint))
    lines += [_rendition_report(report) for report in playlist.rendition_reports]
    if playlist.ended:
        lines.append("#EXT-X-ENDLIST\n")
    return "".join(lines)


def render_multivariant(playlist: MultivariantPlaylist) -> str:
    """Raises UnrepresentableValue for a value that a playlist cannot express."""
    lines = ["#EXTM3U\n"]
    if playlist.independent_segments:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS\n")
    if playlist.start is not None:
        lines.append(_start(playlist.start))
    lines += [_audio(rendition) for rendition in playlist.audio]
    lines += [_variant(variant) for variant in playlist.variants]
    return "".join(lines)


def _media_header(playlist: MediaPlaylist) -> Iterator[str]:
    yield "#EXTM3U\n"
    version = required_version(playlist)
    if version > 1:
        yield f"#EXT-X-VERSION:{version}\n"
    yield f"#EXT-X-TARGETDURATION:{playlist.target_duration}\n"
    if playlist.independent_segments:
        yield "#EXT-X-INDEPENDENT-SEGMENTS\n"
    if playlist.start is not None:
        yield _start(playlist.start)
    if playlist.server_control is not None:
        yield _server_control(playlist.server_control)
    if playlist.part_target_us is not None:
        yield f"#EXT-X-PART-INF:PART-TARGET={decimal_seconds(playlist.part_target_us)}\n"
    if playlist.playlist_type is not None:
        yield f"#EXT-X-PLAYLIST-TYPE:{playlist.playlist_type}\n"
    yield f"#EXT-X-MEDIA-SEQUENCE:{playlist.media_sequence}\n"
    if playlist.discontinuity_sequence:
        yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{playlist.discontinuity_sequence}\n"
    if playlist.skipped_segments:
        yield f"#EXT-X-SKIP:SKIPPED-SEGMENTS={playlist.skipped_segments}\n"


def _discontinuity_and_map(segment: MediaSegment | OpenSegment, map_uri: str | None) -> str:
    """The EXT-X-DISCONTINUITY and EXT-X-MAP tags that ``segment`` needs; ``map_uri`` applies so far."""
    lines = "#EXT-X-DISCONTINUITY\n" if segment.discontinuity else ""
    if segment.map_uri == map_uri:
        return lines
    if segment.map_uri is None:
        raise UnrepresentableValue("a segment without EXT-X-MAP cannot follow one with EXT-X-MAP")
    return f"{lines}#EXT-X-MAP:URI={quoted(segment.map_uri)}\n"


def _start(start: StartPoint) -> str:
    sign = "-" if start.offset_us < 0 else ""
    offset = f"{sign}{decimal_seconds(abs(start.offset_us))}"
    attributes = attribute_list((("TIME-OFFSET", offset), ("PRECISE", "YES" if start.precise else None)))
    return f"#EXT-X-START:{attributes}\n"


def _server_control(control: ServerControl) -> str:
    attributes = attribute_list(
        (
            ("CAN-BLOCK-RELOAD", "YES" if control.can_block_reload else None),
            ("CAN-SKIP-UNTIL", _seconds(control.can_skip_until_us)),
            ("HOLD-BACK", _seconds(control.hold_back_us)),
            ("PART-HOLD-BACK", _seconds(control.part_hold_back_us)),
        )
    )
    return f"#EXT-X-SERVER-CONTROL:{attributes}\n"


def _preload_hint(hint: PreloadHint) -> str:
    attributes = attribute_list(
        (
            ("TYPE", "PART"),
            ("URI", quoted(hint.uri)),
            ("BYTERANGE-START", _integer(hint.byte_range_start)),
            ("BYTERANGE-LENGTH", _integer(hint.byte_range_length)),
        )
    )
    return f"#EXT-X-PRELOAD-HINT:{attributes}\n"


def _rendition_report(report: RenditionReport) -> str:
    attributes = attribute_list(
        (
            ("URI", quoted(report.uri)),
            ("LAST-MSN", _integer(report.last_msn)),
            ("LAST-PART", _integer(report.last_part)),
        )
    )
    return f"#EXT-X-RENDITION-REPORT:{attributes}\n"


def _audio(rendition: AudioRendition) -> str:
    attributes = attribute_list(
        (
            ("TYPE", "AUDIO"),
            ("GROUP-ID", quoted(rendition.group_id)),
            ("NAME", quoted(rendition.name)),
            ("LANGUAGE", None if rendition.language is None else quoted(rendition.language)),
            ("DEFAULT", "YES" if rendition.default else None),
            ("AUTOSELECT", "YES" if rendition.autoselect else None),
            ("CHANNELS", None if rendition.channels is None else f'"{rendition.channels}"'),
            ("URI", None if rendition.uri is None else quoted(rendition.uri)),
        )
    )
    return f"#EXT-X-MEDIA:{attributes}\n"


def _variant(variant: Variant) -> str:
    resolution = None if variant.resolution is None else f"{variant.resolution[0]}x{variant.resolution[1]}"
    attributes = attribute_list(
        (
            ("BANDWIDTH", _integer(variant.bandwidth)),
            ("AVERAGE-BANDWIDTH", _integer(variant.average_bandwidth)),
            ("CODECS", quoted(",".join(variant.codecs)) if variant.codecs else None),
            ("RESOLUTION", resolution),
            ("FRAME-RATE", None if variant.frame_rate is None else three_decimals(variant.frame_rate)),
            ("VIDEO-RANGE", variant.video_range),
            ("AUDIO", None if variant.audio is None else quoted(variant.audio)),
        )
    )
    return f"#EXT-X-STREAM-INF:{attributes}\n{uri_line(variant.uri)}\n"


def three_decimals(rate: Fraction) -> str:
    """A positive rate as a FRAME-RATE: rounded half up, always with three decimals."""
    thousandths = (2000 * rate.numerator + rate.denominator) // (2 * rate.denominator)
    return f"{thousandths // 1000}.{thousandths % 1000:03d}"


def _seconds(microseconds: int | None) -> str | None:
    return None if microseconds is None else decimal_seconds(microseconds)


def _integer(value: int | None) -> str | None:
    return None if value is None else str(value)
