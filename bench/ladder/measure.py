"""Measures the cost and the quality of one side's ladder."""

import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.ladder.candidates import FFMPEG, Candidate, ffmpeg_command, ffmpeg_tracks
from bench.ladder.case import FPS, Case
from bench.ladder.quality import Quality, compare
from bench.ladder.recording import Recording, Span, origin, read
from tests.lab.errors import LabError
from tests.lab.processes import Cpu, cpu, tree
from transcoder.ladder import SOURCE_TRACK

# Time for a segment to be stored completely after its last picture.
TAIL_S = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """``cpu`` is for ``seconds`` of the broadcast; ``main`` is the main process's part of it. ``quality`` is by
    track; ``other`` is the quality of the same encoder at other bitrates. Both are empty unless the pictures were
    compared."""

    seconds: float
    cpu: Cpu
    main: Cpu
    quality: dict[str, Quality]
    other: dict[str, Quality]

    def __str__(self) -> str:
        return f"{self.cpu_share:.3f} CPU seconds of a stream-second"

    @property
    def cpu_share(self) -> float:
        """CPU seconds per stream-second."""
        return self.cpu.total / self.seconds

    @property
    def children_share(self) -> float:
        """The same without the main process."""
        return (self.cpu - self.main).total / self.seconds


def measure(
    candidate: Candidate, case: Case, clip: Path, warm_up: float, seconds: float, *, look: bool
) -> Measured:
    """The first ``warm_up`` seconds are not counted. ``look`` also compares the pictures. Raises LabError."""
    with tempfile.TemporaryDirectory(prefix="headwater-ladder-") as directory:
        with candidate(Path(directory) / "data", case, clip) as running:
            time.sleep(warm_up)
            began, before, main = time.monotonic(), cpu(tree(running.pid)), cpu([running.pid])
            time.sleep(seconds)
            spent, own = cpu(tree(running.pid)) - before, cpu([running.pid]) - main
            elapsed = time.monotonic() - began
            time.sleep(TAIL_S)
            running.finish()
        tracks = running.tracks()
        # A side that fell behind did less work than the other, so its cost would look too low.
        check_covers(read(tracks[SOURCE_TRACK], origin(tracks[SOURCE_TRACK])), _span(warm_up, seconds))
        quality = qualities(tracks, case, warm_up, seconds) if look else {}
    return Measured(elapsed, spent, own, quality, {})


@cache
def other_point(case: Case, clip: Path, warm_up: float, seconds: float, share: float) -> dict[str, Quality]:
    """Encode with ffmpeg at ``share`` of the bitrates, as fast as possible. Raises LabError."""
    with tempfile.TemporaryDirectory(prefix="headwater-ladder-") as directory:
        command = [word for word in ffmpeg_command(case, clip, Path(directory), None, share) if word != "-re"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"{FFMPEG} failed: {done.stderr.strip()[-500:]}")
        return qualities(ffmpeg_tracks(case, Path(directory)), case, warm_up, seconds)


def qualities(tracks: dict[str, Path], case: Case, warm_up: float, seconds: float) -> dict[str, Quality]:
    """By track, over the same pictures for both sides. Raises LabError."""
    start = origin(tracks[SOURCE_TRACK])
    source = read(tracks[SOURCE_TRACK], start)
    span = _span(warm_up, seconds)
    found = {}
    for rung in case.rungs:
        rendition = read(tracks[rung.track], start)
        check_covers(source, span)
        check_covers(rendition, span)
        found[rung.track] = compare(source, rendition, span)
    return found


def check_covers(recording: Recording, span: Span) -> None:
    """Raises LabError."""
    if recording.span.first > span.first or recording.span.end < span.end:
        raise LabError(
            f"{recording.path.name} has the pictures {recording.span.first} to {recording.span.end}, which is not "
            f"all of {span.first} to {span.end}: this machine is too busy, or the warm-up too short"
        )


def _span(warm_up: float, seconds: float) -> Span:
    return Span(round(warm_up * FPS), round((warm_up + seconds) * FPS))
