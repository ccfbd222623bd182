"""Where a segment starts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cut:
    """Segment ``msn`` starts at presentation time ``pts`` (90 kHz ticks of broadcast time).

    ``independent`` is false if the segment does not start with a keyframe, because the source sent none for too
    long. ``discontinuities`` counts those before this cut. ``sound_alone``: the sound made the cut before its video
    arrived, so a segment of the video may start with any frame, but for the first. ``before_ends`` is given with a
    discontinuity: the segment before it ends there at the latest.
    """

    msn: int
    pts: int
    discontinuity: bool
    independent: bool = True
    discontinuities: int = 0
    sound_alone: bool = False
    before_ends: int | None = None
