"""The tracks of a source: which are passed through, which are encoded, and their names.

A track whose codec has no sample entry cannot be packaged, so it is encoded. Video with samples that most players
cannot decode (4:2:2, 10 bits) is encoded too, unless the ladder is the source alone.
"""

from dataclasses import dataclass
from fractions import Fraction

from media.configs import AudioConfig, VideoConfig
from media.ladder import Ladder
from media.units import Kind
from packager.boxes.sample_entries.table import has_sample_entry
from transcoder.ladder import SOURCE_TRACK, Rendition, plan_ladder
from transcoder.messages import AudioRung

SOURCE_AUDIO = "asource"
AUDIO_BPS = 128_000


@dataclass(frozen=True, slots=True)
class PlannedTrack:
    """``default`` marks the audio that plays unless the viewer chooses another; ``label`` is shown to viewers."""

    name: str
    kind: Kind
    default: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """``tracks`` lists every track; ``audio_passthrough`` names the track with the source's own audio. ``rungs``
    and ``audio_rungs`` are encoded."""

    tracks: tuple[PlannedTrack, ...] = ()
    passes_video: bool = False
    audio_passthrough: str | None = None
    rungs: tuple[Rendition, ...] = ()
    audio_rungs: tuple[AudioRung, ...] = ()

    def encodes(self, track: str) -> bool:
        return track in {rung.track for rung in self.rungs} | {rung.track for rung in self.audio_rungs}


def plan_tracks(
    video: VideoConfig | None,
    audio: AudioConfig | None,
    frame_rate: Fraction | None,
    ladder: Ladder,
    *,
    encode_top: bool,
    low_audio_bps: int | None,
) -> TrackPlan:
    """Plan the tracks of a source. ``encode_top``: encode its video at full size instead of passing it through."""
    rungs: tuple[Rendition, ...] = ()
    tracks = []
    if video is not None:
        encode_top = encode_top or not has_sample_entry(video.codec)
        encode_top = encode_top or (ladder != "source" and not video.plays_everywhere)
        rungs = plan_ladder(video, frame_rate, ladder, encode_top=encode_top)
        names = dict.fromkeys((SOURCE_TRACK, *(rung.track for rung in rungs)))
        tracks = [PlannedTrack(name, Kind.VIDEO) for name in names]
    audio_rungs: list[AudioRung] = []
    passthrough = None
    if audio is not None:
        if has_sample_entry(audio.codec):
            passthrough = SOURCE_AUDIO
        else:
            audio_rungs.append(AudioRung(audio_name(AUDIO_BPS), AUDIO_BPS))
        if low_audio_bps is not None and ladder != "source":
            audio_rungs.append(AudioRung(audio_name(low_audio_bps), low_audio_bps))
        first = passthrough or audio_rungs[0].track
        audio_names = dict.fromkeys((first, *(rung.track for rung in audio_rungs)))
        tracks += [
            PlannedTrack(name, Kind.AUDIO, name == first, "Audio" if name == first else "Audio, low bitrate")
            for name in audio_names
        ]
    return TrackPlan(
        tracks=tuple(tracks),
        passes_video=video is not None and not encode_top,
        audio_passthrough=passthrough,
        rungs=rungs,
        audio_rungs=tuple(audio_rungs),
    )


def audio_name(bitrate_bps: int) -> str:
    return f"a{bitrate_bps // 1000}k"
