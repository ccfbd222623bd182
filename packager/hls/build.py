"""HLS playlists of a broadcast's facts. URIs are relative: a media playlist lies beside its track's segments, the
multivariant one beside the tracks' directories."""

from collections.abc import Sequence
from fractions import Fraction

from media.configs import AudioConfig, VideoConfig
from media.names import FIRST_MSN, MEDIA_PLAYLIST, init_name, segment_name
from media.timescale import MICROSECONDS, rescale
from packager.facts import BroadcastFacts, SegmentEntry, TrackFacts
from packager.hls.media import MediaPlaylist, MediaSegment, PlaylistType, target_duration
from packager.hls.multivariant import AudioRendition, MultivariantPlaylist, Variant, VideoRange

# Transfer characteristics (ISO/IEC 23091-2) by VIDEO-RANGE (draft-pantos-hls-rfc8216bis, 4.4.6.2).
VIDEO_RANGES = {
    **dict.fromkeys((1, 6, 13, 14, 15), VideoRange.SDR),
    16: VideoRange.PQ,
    18: VideoRange.HLG,
}
# A player that has measured nothing yet starts with the first variant: the best that most networks carry.
START_BANDWIDTH = 2_500_000


class SegmentMemo:
    """A track's segments as its playlist has them, each made once: all but the newest are those it had before."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[SegmentEntry, MediaSegment]] = {}

    def segments(self, track: TrackFacts, entries: Sequence[SegmentEntry]) -> tuple[MediaSegment, ...]:
        """Those of ``entries``; the others are forgotten."""
        before, made, found = self._made, {}, []
        for entry in entries:
            known = before.get(entry.msn)
            if known is None or known[0] is not entry:
                known = entry, hls_segment(entry, track.config_of(entry.init).timescale)
            made[entry.msn] = known
            found.append(known[1])
        self._made = made
        return tuple(found)


def hls_segment(entry: SegmentEntry, timescale: int) -> MediaSegment:
    """``entry`` as a playlist has it. Its two ends are rounded to microseconds, not its duration, so that durations
    always add up to the time that passed."""
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
    """The playlist of consecutive ``entries``; ``memo`` is of the same playlist as it was before.

    ``target_ms`` is the longest that a segment of any track is meant to be, or has been: EXT-X-TARGETDURATION
    must be the same in all playlists of a broadcast, and must not change. One that has ended and holds the
    broadcast from its start is of type VOD.
    """
    segments = (memo or SegmentMemo()).segments(track, entries)
    longest_us = max((segment.duration_us for segment in segments), default=0)
    whole = ended and bool(segments) and entries[0].msn == FIRST_MSN
    return MediaPlaylist(
        target_duration=target_duration(max(longest_us, target_ms * 1000)),
        media_sequence=entries[0].msn if segments else FIRST_MSN,
        segments=segments,
        discontinuity_sequence=entries[0].discontinuities if segments else 0,
        independent_segments=all(entry.independent for entry in entries),
        playlist_type=PlaylistType.VOD if whole else None,
        ended=ended,
    )


def multivariant_playlist(facts: BroadcastFacts, *, prefix: str = "") -> MultivariantPlaylist:
    """Every video track as a variant with the default audio, and one variant of audio alone, the lightest.

    ``prefix`` goes before every URI: ``""`` beside the tracks' directories, ``"{broadcast}/"`` one level up. All
    audio tracks are encodings of one sound, and so members of the same name in a group each (4.4.6.1.1).
    """
    audio = [track for track in facts.tracks if isinstance(track.config, AudioConfig)]
    video = [track for track in facts.tracks if isinstance(track.config, VideoConfig)]
    default = next((track for track in audio if track.default), audio[0] if audio else None)
    alone = sorted(audio, key=lambda track: track.peak_bps)[:1] if video else audio
    variants = [_variant(track, default, prefix) for track in video]
    variants += [_variant(track, track, prefix) for track in alone]
    used = {variant.audio for variant in variants}
    name = (default.name if default else "") or "Audio"
    return MultivariantPlaylist(
        variants=tuple(_start_first(variants)),
        audio=tuple(_rendition(track, name, prefix) for track in audio if track.track in used),
        independent_segments=facts.independent_segments,
    )


def _variant(track: TrackFacts, audio: TrackFacts | None, prefix: str) -> Variant:
    """``track`` played with ``audio``, which may be ``track`` itself."""
    played = [track] if audio is None or audio is track else [track, audio]
    config = track.config
    resolution = video_range = frame_rate = None
    if isinstance(config, VideoConfig):
        resolution = _display_size(config)
        frame_rate = track.frame_rate or config.frame_rate
        video_range = VIDEO_RANGES.get(config.colour.transfer) if config.colour else None
    return Variant(
        uri=f"{prefix}{track.track}/{MEDIA_PLAYLIST}",
        bandwidth=sum(part.peak_bps for part in played),
        codecs=tuple(part.config.codec_string for part in played),
        average_bandwidth=sum(part.average_bps for part in played),
        resolution=resolution,
        frame_rate=frame_rate,
        video_range=video_range,
        audio=None if audio is None else audio.track,
        no_closed_captions=True,
    )


def _rendition(track: TrackFacts, name: str, prefix: str) -> AudioRendition:
    return AudioRendition(
        group_id=track.track,
        name=name,
        uri=f"{prefix}{track.track}/{MEDIA_PLAYLIST}",
        default=True,
        autoselect=True,
        language=track.language,
        channels=track.config.channels if isinstance(track.config, AudioConfig) else None,
    )


def _display_size(config: VideoConfig) -> tuple[int, int]:
    """Where samples are not square, the size at which the picture is not distorted."""
    width: Fraction = config.width * config.sample_aspect_ratio
    return int(width + Fraction(1, 2)), config.height


def _start_first(variants: list[Variant]) -> list[Variant]:
    """Largest first, audio alone last; but before them the one to start with."""
    ordered = sorted(variants, key=lambda variant: (variant.resolution is None, -variant.bandwidth))
    pictures = [variant for variant in ordered if variant.resolution is not None] or ordered
    light = [variant for variant in pictures if variant.bandwidth <= START_BANDWIDTH]
    first = light[:1] or pictures[-1:]
    return first + [variant for variant in ordered if variant not in first]
