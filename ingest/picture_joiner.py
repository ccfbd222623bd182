"""Makes one access unit of the messages of one picture (ISO/IEC 14496-15, 5.2.2: a sample is one access unit).

Most encoders send a picture as one message. Some send its slices, or the parameter sets and SEI before it, as
messages of their own. Only the start of the next picture shows that a picture is complete. Therefore the first
picture is held until the next one starts, and so are all pictures of an encoder that splits them. Other pictures
pass at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.flv.errors import IncompletePicture, OversizedPicture
from ingest.timeline import Placement
from ingest.track_clock import difference

# Takes a picture's last part and one that continues a picture; returns whether the picture is the same.
Matcher = Callable[[bytes, bytes], bool]
# An encoder that sends this many pictures as one message each no longer splits them.
WHOLE_PICTURES = 1800
# Limits of one picture. No level allows more slices (ITU-T H.264, Table A-1).
MAX_PARTS = 1024
MAX_BYTES = 8 * 1024 * 1024
# A picture is complete if audio this much later has arrived.
LONGEST_HOLD_MS = 200


@dataclass(slots=True)
class Picture:
    """``parts`` are payloads; ``placement`` and ``composition_ms`` are those of the first slice's message.
    ``configured`` is true if a part may have parameter sets."""

    timestamp: int
    placement: Placement
    composition_ms: int
    parts: list[bytes]
    configured: bool


class PictureJoiner:
    """``held`` is the picture whose further parts may arrive."""

    def __init__(self) -> None:
        self.held: Picture | None = None
        self._matcher: Callable[[], Matcher] = _no_matcher
        self._continues: Matcher | None = None
        self._before: list[bytes] = []
        self._bytes = 0
        # How many more pictures are held.
        self._to_hold = 1

    @property
    def idle(self) -> bool:
        """Whether a whole picture can pass without the joiner."""
        return not (self._to_hold or self._before or self.held)

    def configure(self, matcher: Callable[[], Matcher]) -> None:
        """Take a new configuration. ``matcher`` is called only if an encoder splits pictures. It may raise
        MalformedConfig."""
        self._matcher, self._continues = matcher, None
        self._to_hold = max(self._to_hold, 1)

    def start(self, picture: Picture) -> Sequence[Picture]:
        """Take the start of a picture; return the pictures that are complete."""
        held = self.release()
        if self._before:
            picture.parts[:0] = self._before
            picture.configured = True
            self._before = []
        if not self._to_hold:
            self._bytes = 0
            return (*held, picture)
        self.held = picture
        self._bytes = sum(map(len, picture.parts))
        return held

    def add_before(self, payload: bytes) -> Sequence[Picture]:
        """Take data that belongs to the next picture; return the pictures that are complete.

        Raises OversizedPicture.
        """
        complete = self.release()
        if not self._before:
            self._bytes = 0
        self._add(self._before, payload)
        return complete

    def add_continuation(self, payload: bytes) -> None:
        """Take more of the held picture. Raises IncompletePicture, OversizedPicture, MalformedConfig."""
        self._to_hold = WHOLE_PICTURES
        if self._continues is None:
            self._continues = self._matcher()
        picture = self.held
        if picture is None or not self._continues(picture.parts[-1], payload):
            raise IncompletePicture("a part of a picture whose start did not arrive")
        self._add(picture.parts, payload)

    def release(self) -> Sequence[Picture]:
        """The held picture, if there is one: it is complete."""
        picture, self.held = self.held, None
        if picture is None:
            return ()
        self._to_hold -= 1
        return (picture,)

    def release_before(self, timestamp: int) -> Sequence[Picture]:
        """The held picture if it is much earlier than ``timestamp`` (milliseconds modulo 2^32)."""
        picture = self.held
        if picture is not None and difference(timestamp, picture.timestamp) > LONGEST_HOLD_MS:
            return self.release()
        return ()

    def _add(self, parts: list[bytes], payload: bytes) -> None:
        if len(parts) >= MAX_PARTS or self._bytes + len(payload) > MAX_BYTES:
            raise OversizedPicture("a picture of too many messages")
        parts.append(payload)
        self._bytes += len(payload)


def _no_matcher() -> Matcher:
    return lambda payload, continuation: False
