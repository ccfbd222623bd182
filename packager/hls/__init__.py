"""HTTP Live Streaming playlists as values (draft-pantos-hls-rfc8216bis), with functions to build, render and parse
them."""

from packager.hls.delta_update import delta
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
from packager.hls.multivariant import AudioRendition, MultivariantPlaylist, Variant, VideoRange
from packager.hls.parsing import parse, parse_media, parse_multivariant
from packager.hls.rendering import render, render_media, render_multivariant

__all__ = [
    "AudioRendition",
    "MediaPlaylist",
    "MediaSegment",
    "MultivariantPlaylist",
    "OpenSegment",
    "PartialSegment",
    "PlaylistType",
    "PreloadHint",
    "RenditionReport",
    "ServerControl",
    "StartPoint",
    "Variant",
    "VideoRange",
    "delta",
    "parse",
    "parse_media",
    "parse_multivariant",
    "render",
    "render_media",
    "render_multivariant",
]
