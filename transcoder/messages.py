"""The messages between the parent and the transcoder child."""

from dataclasses import dataclass, field

from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.units import AccessUnit
from transcoder.ladder import Rendition
from transcoder.options import TranscodeOptions


@dataclass(frozen=True, slots=True)
class AudioRung:
    """One audio track to encode. If ``sample_rate`` or ``channels`` is None, the source's value is used (at most
    two channels)."""

    track: str
    bitrate_bps: int
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """The work of one child: it encodes track 0 of each kind. ``video.frame_rate`` is the basis of every rung's
    rate control; set a measured rate if the stream does not carry one. ``off`` names the rungs that are not encoded
    until a :class:`Select` names them."""

    video: VideoConfig | None
    rungs: tuple[Rendition, ...] = ()
    audio: AudioConfig | None = None
    audio_outputs: tuple[AudioRung, ...] = ()
    options: TranscodeOptions = field(default_factory=TranscodeOptions)
    off: frozenset[str] = frozenset()

    @property
    def selected(self) -> frozenset[str]:
        """The tracks of the rungs that are encoded."""
        return frozenset(rung.track for rung in self.rungs) - self.off


@dataclass(frozen=True, slots=True)
class Start:
    job: Job


@dataclass(frozen=True, slots=True)
class Unit:
    """One access unit of the source, in decoding order."""

    unit: AccessUnit


@dataclass(frozen=True, slots=True)
class CutAt:
    """The first frame at or after ``pts`` (90 kHz ticks) has to be an IDR of every rung. If it precedes the first
    unit, frames before ``pts`` are decoded but not encoded."""

    pts: int


@dataclass(frozen=True, slots=True)
class Select:
    """From the next cut on, encode the rungs of ``tracks`` only. :class:`Stopped` follows for each that ends."""

    tracks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Finish:
    """No more units follow: encode everything that is still queued, then exit."""


@dataclass(frozen=True, slots=True)
class TrackReady:
    """Precedes the first unit of its track."""

    track: str
    config: TrackConfig


@dataclass(frozen=True, slots=True)
class Decoded:
    """The decoder returned the source frame with this ``pts`` at ``at_ns`` of the system's monotonic clock. Sent
    for one of every few frames."""

    pts: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Encoded:
    track: str
    unit: AccessUnit


@dataclass(frozen=True, slots=True)
class Stopped:
    """The rung ``track`` was not selected any more: its frames before a cut have been sent, and none follow."""

    track: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Totals since the start, some times a second.

    ``decoded`` source frames; ``errors`` packets that the decoders rejected; ``encoded`` frames of all rungs;
    ``backlog`` frames between decoder and encoders; ``cpu_ms`` the child's processor time; ``disordered`` source
    frames whose presentation times contradict their order; ``taken`` video units that were decoded and passed to
    the encoders, or left out because no rung is selected.
    """

    decoded: int = 0
    errors: int = 0
    encoded: int = 0
    backlog: int = 0
    cpu_ms: int = 0
    disordered: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The child cannot continue. ``code`` is stable, ``text`` is for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Every unit has been sent."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A random access point to convert to a JPEG. The answer carries the same ``number``."""

    number: int
    config: VideoConfig
    unit: AccessUnit


@dataclass(frozen=True, slots=True)
class PictureAnswer:
    """``jpeg`` is empty if the unit could not be decoded."""

    number: int
    jpeg: bytes


Message = (
    Start
    | Unit
    | CutAt
    | Select
    | Finish
    | TrackReady
    | Decoded
    | Encoded
    | Stopped
    | Progress
    | Failed
    | Finished
    | PictureRequest
    | PictureAnswer
)
