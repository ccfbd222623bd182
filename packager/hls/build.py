"""Builds HLS playlists from the facts of a broadcast.

URIs are relative. A media playlist is in the same directory as its track's segments; a multivariant playlist is in
the directory that contains the tracks' directories.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from media.configs import AudioConfig, VideoConfig
from media.names import FIRST_MSN, MEDIA_PLAYLIST, init_name, segment_name
from media.timescale import MICROSECONDS, rescale
from packager.facts import BroadcastFacts, SegmentEntry, TrackFacts
from packager.hls.media import MediaPlaylist, MediaSegment, PlaylistType, target_duration
from packager.hls.multivariant import AudioRendition, MultivariantPlaylist, Variant, VideoRange

# VIDEO-RANGE (draft-pantos-hls-rfc8216bis, 4.4.6.2) for each transfer characteristic (ISO/IEC 23091-2).
VIDEO_RANGES = {
    **dict.fromkeys((1, 6, 13, 14, 15), VideoRange.SDR),
    16: VideoRange.PQ,
    18: VideoRange.HLG,
}
# Bits per second. Players start with the first variant: it is the best one that most networks can carry.
START_BANDWIDTH = 2_500_000


class SegmentMemo:
    """Caches the Media Segments of one media playlist, so that each is built, and its lines rendered, only once."""

    def __init__(self) -> None:
        self._by_msn: dict[int, tuple[SegmentEntry, MediaSegment]] = {}

    def segments(self, track: TrackFacts, entries: Sequence[SegmentEntry]) -> tuple[MediaSegment, ...]:
        """The Media Segments of ``entries``. All other cached segments are dropped."""
        by_msn: dict[int, tuple[SegmentEntry, MediaSegment]] = {}
        segments = []
        for entry in entries:
            cached = self._by_msn.get(entry.msn)
            if cached is None or cached[0] is not entry:
                cached = entry, hls_segment(entry, track.config_of(entry.init).timescale)
            by_msn[entry.msn] = cached
            segments.append(cached[1])
        self._by_msn = by_msn
        return tuple(segments)


def hls_segment(entry: SegmentEntry, timescale: int) -> MediaSegment:
    """``entry`` as a Media Segment.

    Its start and its end are each rounded to microseconds, and its duration is the difference. So rounding errors
    never add up over a playlist.
    """
    start = rescale(entry.start, timescale, MICROSECONDS)
    end = rescale(entry.start + entry.duration, timescale, MICROSECONDS)
    return MediaSegment(
        uri=segment_name(entry.msn),
        duration_us=end - start,
        map_uri=init_name(entry.init),
        discontinuity=entry.discontinuity,
        program_date_time=entry.wall_ms,
        gap=entry.gap,
    )


def media_playlist(
    track: TrackFacts,
    entries: Sequence[SegmentEntry],
    *,
    ended: bool,
    target_ms: int,
    memo: SegmentMemo | None = None,
) -> MediaPlaylist:
    """The media playlist of consecutive ``entries``. Pass the same ``memo`` to each update of a playlist.

    ``target_ms`` is the intended segment duration, or the longest segment of any track if that is longer:
    EXT-X-TARGETDURATION must be the same in all media playlists of a broadcast, and must not change. An ended
    playlist that contains the complete broadcast has the type VOD.
    """
    segments = (memo or SegmentMemo()).segments(track, entries)
    longest_us = max((segment.duration_us for segment in segments), default=0)
    complete = ended and bool(segments) and entries[0].msn == FIRST_MSN
    return MediaPlaylist(
        target_duration=target_duration(max(longest_us, target_ms * 1000)),
        media_sequence=entries[0].msn if segments else FIRST_MSN,
        segments=segments,
        discontinuity_sequence=entries[0].discontinuities if segments else 0,
        independent_segments=all(entry.independent for entry in entries),
        playlist_type=PlaylistType.VOD if complete else None,
        ended=ended,
    )


def recording_playlist(
    track: TrackFacts, entries: Sequence[SegmentEntry], *, first_msn: int, target_ms: int
) -> MediaPlaylist:
    """The media playlist of an ended broadcast for players that begin with it. ``first_msn`` is the first of all
    tracks.

    Its Media Sequence Number is 0, because yt-dlp takes any other number for a live stream; that of a track that
    begins later is higher. No segment will be added or removed, so its type is VOD even if the beginning of the
    broadcast has been deleted.
    """
    playlist = media_playlist(track, entries, ended=True, target_ms=target_ms)
    number = playlist.media_sequence - first_msn
    return replace(playlist, media_sequence=number, playlist_type=PlaylistType.VOD)


def multivariant_playlist(
    facts: BroadcastFacts, *, prefix: str = "", media: str = MEDIA_PLAYLIST
) -> MultivariantPlaylist:
    """A variant for each video track with the default audio, and an audio-only variant if there is a second audio
    track: that of the lowest bit rate. Retired tracks are variants of the recording only.

    No variant has the URI of an audio rendition, because VLC 3 then plays video without sound. Without video, each
    audio track is a variant. ``prefix`` precedes every URI: ``""`` in the directory that contains the tracks'
    directories, ``"{broadcast}/"`` one level up. ``media`` is the name of the tracks' playlists. All audio tracks
    are encodings of the same content, so each has its own group and all have the same NAME (4.4.6.1.1).
    """

    def uri(track: TrackFacts) -> str:
        return f"{prefix}{track.track}/{media}"

    audio = [track for track in facts.tracks if isinstance(track.config, AudioConfig)]
    video = [track for track in facts.tracks if isinstance(track.config, VideoConfig)]
    if not facts.ended:
        video = [track for track in video if not track.retired]
    default = next((track for track in audio if track.default), audio[0] if audio else None)
    audio_only = audio
    if video:
        audio_only = sorted((track for track in audio if track is not default), key=lambda track: track.peak_bps)[
            :1
        ]
    variants = [_variant(track, default, uri(track)) for track in video]
    variants += [_variant(track, track, uri(track)) for track in audio_only]
    used_groups = {variant.audio for variant in variants}
    name = (default.name if default else "") or "Audio"
    return MultivariantPlaylist(
        variants=tuple(_ordered(variants)),
        audio=tuple(
            _rendition(track, name, None if track in audio_only else uri(track))
            for track in audio
            if track.track in used_groups
        ),
        independent_segments=facts.independent_segments,
    )


def _variant(track: TrackFacts, audio: TrackFacts | None, uri: str) -> Variant:
    """The variant of ``track`` with the audio group of ``audio``, which may be ``track`` itself."""
    tracks = [track] if audio is None or audio is track else [track, audio]
    config = track.config
    resolution = video_range = frame_rate = None
    if isinstance(config, VideoConfig):
        resolution = _display_size(config)
        frame_rate = track.frame_rate or config.frame_rate
        video_range = VIDEO_RANGES.get(config.colour.transfer) if config.colour else None
    return Variant(
        uri=uri,
        bandwidth=sum(member.peak_bps for member in tracks),
        codecs=tuple(member.config.codec_string for member in tracks),
        average_bandwidth=sum(member.average_bps for member in tracks),
        resolution=resolution,
        frame_rate=frame_rate,
        video_range=video_range,
        audio=None if audio is None else audio.track,
    )


def _rendition(track: TrackFacts, name: str, uri: str | None) -> AudioRendition:
    """``uri`` is None if the variant's own playlist contains the rendition (4.4.6.2.1)."""
    return AudioRendition(
        group_id=track.track,
        name=name,
        uri=uri,
        default=True,
        autoselect=True,
        language=track.language,
        channels=track.config.channels if isinstance(track.config, AudioConfig) else None,
    )


def _display_size(config: VideoConfig) -> tuple[int, int]:
    """The picture's size with square pixels."""
    width: Fraction = config.width * config.sample_aspect_ratio
    return int(width + Fraction(1, 2)), config.height


def _ordered(variants: list[Variant]) -> list[Variant]:
    """The variant to start with comes first, then the others by falling bandwidth, audio-only variants last."""
    ordered = sorted(variants, key=lambda variant: (variant.resolution is None, -variant.bandwidth))
    candidates = [variant for variant in ordered if variant.resolution is not None] or ordered
    affordable = [variant for variant in candidates if variant.bandwidth <= START_BANDWIDTH]
    first = affordable[:1] or candidates[-1:]
    return first + [variant for variant in ordered if variant not in first]
