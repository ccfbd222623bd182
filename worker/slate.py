"""The slate: a picture that stands still, and silence, while a broadcast waits for its publisher.

Nothing is encoded meanwhile. Each segment repeats the same bytes with the times of its own, on every rendition.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction

from media.configs import VideoConfig
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.cut import Cut
from packager.cmaf.cutter import Cutter
from transcoder.ladder import SOURCE_TRACK, plan_ladder
from transcoder.messages import Job
from transcoder.options import TranscodeOptions
from worker.ledger import BroadcastLedger
from worker.slate_pictures import SlatePicture
from worker.track_plan import TrackPlan
from worker.track_set import TrackSet

# 90 kHz ticks. Longer intervals between frames would be holes in the video.
LONGEST_INTERVAL = VIDEO_TIMESCALE // 3


def slate_job(
    video: VideoConfig, frame_rate: Fraction | None, plan: TrackPlan, off: frozenset[str], options: TranscodeOptions
) -> Job:
    """Encodes a picture of ``video`` for each of the plan's renditions that is not ``off``. They have the size, the
    frame rate and the colours of the rendition, so that the same decoders play them."""
    top = plan_ladder(video, frame_rate, "source", encode_top=True) if plan.passes_video else ()
    rungs = tuple(rung for rung in (*top, *plan.rungs) if rung.track not in off or rung.track == SOURCE_TRACK)
    return Job(video, rungs, options=options)


class Slate:
    """Writes ``pictures``, by track, and silence from ``start`` on. Without pictures, the broadcast is sound alone.
    ``on_cut`` is called with each cut. Times are 90 kHz ticks of broadcast time."""

    def __init__(
        self,
        pictures: Mapping[str, SlatePicture],
        start: int,
        *,
        cutter: Cutter,
        tracks: TrackSet,
        ledger: BroadcastLedger,
        on_cut: Callable[[Cut], None],
    ) -> None:
        assert ledger.part_ticks is not None, "a broadcast that has begun has its part duration"
        # A part has one frame, or several that fill it.
        frames = -(-ledger.part_ticks // LONGEST_INTERVAL)
        self._interval = -(-ledger.part_ticks // frames)
        self._pictures = pictures
        self._cutter = cutter
        self._tracks = tracks
        self._ledger = ledger
        self._on_cut = on_cut
        self._begun = False
        # The frames of the segment that are shown, and when the next segment is due.
        self._shown = 0
        self._due = start
        self._next = start
        for track, picture in pictures.items():
            tracks.show_slate(track, picture.config)

    def advance(self, now: int) -> int:
        """Write the frames up to ``now``. Returns the time of the next one."""
        while self._next <= now:
            self._show(self._next)
        return self._next

    def close(self) -> None:
        """Complete the segments, with the last frame until the next was due. The tracks continue with their own
        configurations."""
        if self._begun:
            self._tracks.add_silence(self._next)
            self._ledger.end = max(self._ledger.end, self._next)
        self._tracks.end_slate()
        self._tracks.close(self._cutter.segment_end)

    def _show(self, pts: int) -> None:
        cut = self._cut_at(pts)
        if cut is not None:
            self._begun = True
            self._on_cut(cut)
            self._shown, self._due = 0, self._cutter.next_cut
        for track, picture in self._pictures.items():
            index = self._shown % len(picture.payloads)
            unit = AccessUnit(Kind.VIDEO, pts, 0, index == 0, picture.payloads[index])
            self._tracks.add_video(track, unit)
        self._tracks.add_silence(pts)
        self._ledger.end = max(self._ledger.end, pts)
        self._shown += 1
        after = pts + self._interval
        self._next = min(after, self._due) if self._due > pts else after

    def _cut_at(self, pts: int) -> Cut | None:
        if not self._pictures:
            return self._cutter.audio(pts, alone=True)
        unit = AccessUnit(Kind.VIDEO, pts, 0, True, b"")
        return self._cutter.repeated(unit) if self._begun else self._cutter.video(unit)
