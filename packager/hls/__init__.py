"""HTTP Live Streaming playlists as values (draft-pantos-hls-rfc8216bis): build them, render them, parse them
back."""

from packager.hls.delta_update import delta
from packager.hls.media import (
    MediaPlaylist,
    Part,
    PartialSegment,
    PlaylistType,
    PreloadHint,
    RenditionReport,
    Segment,
    ServerControl,
    StartPoint,
)
from packager.hls.multivariant import AudioRendition, MultivariantPlaylist, Variant, VideoRange
from packager.hls.parsing import parse, parse_media, parse_multivariant
from packager.hls.rendering import render, render_media, render_multivariant

__all__ = [
    "AudioRendition",
    "MediaPlaylist",
    "MultivariantPlaylist",
    "Part",
    "PartialSegment",
    "PlaylistType",
    "PreloadHint",
    "RenditionReport",
    "Segment",
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
