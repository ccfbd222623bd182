"""What the parent and the transcoder child say to each other."""

from dataclasses import dataclass, field

from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.units import AccessUnit
from transcoder.ladder import Rung
from transcoder.options import TranscodeOptions


@dataclass(frozen=True, slots=True)
class AudioRung:
    """One AAC-LC track to encode; ``sample_rate`` and ``channels`` are the source's where None (at most stereo)."""

    track: str
    bitrate_bps: int
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What one child makes. ``video.frame_rate`` is what the rate control of every rung counts on: give the
    measured one where the stream does not say."""

    video: VideoConfig | None
    rungs: tuple[Rung, ...] = ()
    audio: AudioConfig | None = None
    audio_outputs: tuple[AudioRung, ...] = ()
    options: TranscodeOptions = field(default_factory=TranscodeOptions)


@dataclass(frozen=True, slots=True)
class Start:
    job: Job


@dataclass(frozen=True, slots=True)
class Unit:
    """One access unit of the source, in decoding order."""

    unit: AccessUnit


@dataclass(frozen=True, slots=True)
class CutAt:
    """The first frame at or after ``pts`` (90 000 a second) is to be an IDR of every rung."""

    pts: int


@dataclass(frozen=True, slots=True)
class Finish:
    """No more units: bring out everything that is still inside, then exit."""


@dataclass(frozen=True, slots=True)
class TrackReady:
    """Comes before the first unit of its track."""

    track: str
    config: TrackConfig


@dataclass(frozen=True, slots=True)
class Decoded:
    """The source frame of ``pts`` came out of the decoder at ``at_ns`` of the system's monotonic clock; told of one
    frame in a few."""

    pts: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Encoded:
    track: str
    unit: AccessUnit


@dataclass(frozen=True, slots=True)
class Progress:
    """Totals since the start, about once a second.

    ``decoded`` source frames; ``errors`` packets that the decoders refused; ``encoded`` frames of all rungs;
    ``backlog`` frames between decoder and encoders; ``cpu_ms`` the child's processor time.
    """

    decoded: int = 0
    errors: int = 0
    encoded: int = 0
    backlog: int = 0
    cpu_ms: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The child gives up; ``code`` is stable, ``text`` is for a person."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Every unit has come out."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A key unit to make a JPEG of. ``number`` comes back with the answer."""

    number: int
    config: VideoConfig
    unit: AccessUnit


@dataclass(frozen=True, slots=True)
class PictureAnswer:
    """``jpeg`` is empty where the unit could not be decoded."""

    number: int
    jpeg: bytes


Message = (
    Start
    | Unit
    | CutAt
    | Finish
    | TrackReady
    | Decoded
    | Encoded
    | Progress
    | Failed
    | Finished
    | PictureRequest
    | PictureAnswer
)
