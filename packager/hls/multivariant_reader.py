"""Parses the lines of a multivariant playlist into the values of :mod:`packager.hls.multivariant`."""

import re
from fractions import Fraction

from packager.hls.media import StartPoint
from packager.hls.multivariant import AudioRendition, MultivariantPlaylist, Variant, VideoRange
from packager.hls.values import Attributes, integer, start_point

_RESOLUTION = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")
_FRAME_RATE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?")


class MultivariantReader:
    """Takes a multivariant playlist's tags and URIs in order; :meth:`finish` returns the playlist.

    Every method raises ValueError for invalid text.
    """

    def __init__(self) -> None:
        self._variants: list[Variant] = []
        self._audio: list[AudioRendition] = []
        self._independent_segments = False
        self._start: StartPoint | None = None
        self._stream_inf: Attributes | None = None

    def tag(self, name: str, value: str) -> None:
        match name:
            case "EXT-X-INDEPENDENT-SEGMENTS":
                self._independent_segments = True
            case "EXT-X-START":
                self._start = start_point(value)
            case "EXT-X-STREAM-INF":
                self._stream_inf = Attributes(value)
            case "EXT-X-MEDIA":
                attributes = Attributes(value)
                if attributes.text("TYPE") == "AUDIO":
                    self._audio.append(_audio_rendition(attributes))

    def uri(self, uri: str) -> None:
        if self._stream_inf is None:
            raise ValueError("a URI line without EXT-X-STREAM-INF")
        self._variants.append(_variant(self._stream_inf, uri))
        self._stream_inf = None

    def finish(self) -> MultivariantPlaylist:
        return MultivariantPlaylist(
            tuple(self._variants), tuple(self._audio), self._independent_segments, self._start
        )


def _audio_rendition(attributes: Attributes) -> AudioRendition:
    channels = attributes.optional_string("CHANNELS")
    return AudioRendition(
        group_id=attributes.string("GROUP-ID"),
        name=attributes.string("NAME"),
        uri=attributes.optional_string("URI"),
        default=attributes.yes("DEFAULT"),
        autoselect=attributes.yes("AUTOSELECT"),
        language=attributes.optional_string("LANGUAGE"),
        channels=None if channels is None else integer(channels.partition("/")[0]),
    )


def _variant(attributes: Attributes, uri: str) -> Variant:
    codecs = attributes.optional_string("CODECS")
    resolution = attributes.optional("RESOLUTION")
    frame_rate = attributes.optional("FRAME-RATE")
    video_range = attributes.optional("VIDEO-RANGE")
    return Variant(
        uri=uri,
        bandwidth=attributes.integer("BANDWIDTH"),
        codecs=tuple(codecs.split(",")) if codecs else (),
        average_bandwidth=attributes.optional_integer("AVERAGE-BANDWIDTH"),
        resolution=None if resolution is None else _resolution(resolution),
        frame_rate=None if frame_rate is None else _frame_rate(frame_rate),
        video_range=None if video_range is None else VideoRange(video_range),
        audio=attributes.optional_string("AUDIO"),
    )


def _resolution(text: str) -> tuple[int, int]:
    match = _RESOLUTION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a resolution")
    return int(match[1]), int(match[2])


def _frame_rate(text: str) -> Fraction:
    if _FRAME_RATE.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not a frame rate")
    return Fraction(text)
