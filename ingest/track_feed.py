"""What the feeds of a publisher's tracks have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from ingest.budget import Bucket
from ingest.flv.errors import OddFrame, UnsupportedCodec
from ingest.interface import Publication
from ingest.step_hold import Stamped, StepHold
from ingest.timeline import Timeline
from media.errors import MediaError, TooManyConfigurations, UnsupportedConfig

# This many consecutive messages of an unsupported codec are not an accident.
PERSISTENT = 30
# Changes of a track's configuration in any minute. Each one starts a discontinuity and an init segment.
MAX_CHANGES = 10
REPEATED = "repeated-message"


class ConfigChanges:
    """Limits how often the configurations of a publication's tracks change."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bucket = Bucket(MAX_CHANGES / 60, 60.0, clock())

    def add(self) -> None:
        """Raises TooManyConfigurations."""
        if self._bucket.take(1, self._clock()):
            raise TooManyConfigurations(
                f"the encoder changed its configuration more than {MAX_CHANGES} times in a minute: restart it, and "
                "if that does not help, choose another encoder"
            )


class TrackFeed(ABC):
    """One track of the publisher."""

    def __init__(self, publication: Publication, timeline: Timeline, changes: ConfigChanges) -> None:
        self._publication = publication
        self._timeline = timeline
        self._changes = changes
        self._unsupported = 0
        self._other: TrackFeed
        self._steps = StepHold()
        # The newest frame, and whether its timestamp was a new one.
        self._timestamp: int | None = None
        self._data = b""
        self._advanced = False

    def share_timeline(self, other: "TrackFeed") -> None:
        """Call once for each pair of tracks, before the first message."""
        self._other, other._other = other, self

    def take(self, timestamp: int, body: bytes) -> None:
        """Take one message: ``timestamp`` is milliseconds modulo 2^32, ``body`` the body of an FLV tag.

        Raises UnsupportedCodec and MediaLimit, after which the caller must end the publication.
        """
        steps, other = self._steps, self._other
        if other._steps.held is not None:
            other._accept_all(other._steps.release_before(timestamp))
        if steps.passes(timestamp):
            self._accept(timestamp, body)
        else:
            self._accept_all(steps.add(timestamp, body))

    def close(self) -> None:
        """Pass on the message that is held. Raises MediaLimit."""
        self._accept_all(self._steps.release())

    def _accept_all(self, messages: Sequence[Stamped]) -> None:
        for timestamp, body in messages:
            self._accept(timestamp, body)

    def _accept(self, timestamp: int, body: bytes) -> None:
        try:
            self._read(timestamp, body)
            self._unsupported = 0
        except (UnsupportedCodec, UnsupportedConfig) as error:
            self._unsupported += 1
            if not self._configured or self._unsupported >= PERSISTENT:
                raise UnsupportedCodec(str(error)) from error
            self._publication.on_dropped(error.code)
        except (OddFrame, MediaError) as error:
            self._publication.on_dropped(error.code)

    def _is_repeated(self, timestamp: int, data: bytes) -> bool:
        """Whether a frame was sent twice. The next one is taken even if it is equal: timestamps may stand still in
        silence."""
        advanced = timestamp != self._timestamp
        repeated = self._advanced and not advanced and data == self._data
        self._timestamp, self._data, self._advanced = timestamp, data, advanced
        if repeated:
            self._publication.on_dropped(REPEATED)
        return repeated

    @property
    @abstractmethod
    def _configured(self) -> bool:
        """Whether this track has a configuration."""

    @abstractmethod
    def _read(self, timestamp: int, body: bytes) -> None: ...
