"""What must not happen, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.chaos.census import Census, leaks
from tests.chaos.downtime import Downtime
from tests.chaos.faults.fault import Fault
from tests.chaos.stage import Stream, ended_records
from tests.torture.oracle import judge_track
from tests.torture.reader import read
from tests.torture.recording import read_recordings


def viewer_failures(streams: Sequence[Stream], began: float, downtime: Downtime) -> Iterator[str]:
    """The errors that viewers saw, with the time of the first of each kind."""
    for stream in streams:
        viewer = stream.viewer
        for at, text in viewer.error_times:
            yield f"{at - began:.0f} s: the strict client of {stream.name}, {viewer.errors[text]} times: {text}"
        if not viewer.parts:
            yield f"the strict client of {stream.name} got no part"
        if stream.page is not None:
            yield from stream.page.errors(began, downtime)


def event_failures(
    marks: Sequence[tuple[Fault, str, float, float]],
    events: Mapping[str, Sequence[Mapping[str, Any]]],
    began: float,
    wall: float,
) -> Iterator[str]:
    """Whether the event logs have what happened. Times of events are those of the server's clock."""
    for place, (fault, name, at, _) in enumerate(marks):
        until = marks[place + 1][2] if place + 1 < len(marks) else float("inf")
        concerned = events.values() if fault.everywhere else [events[name]]
        found = {event["code"] for log in concerned for event in log if at <= began + event["at"] - wall < until}
        if missing := [code for code in fault.events if code not in found]:
            whose = "no event log has" if fault.everywhere else f"the event log of {name} lacks"
            yield f"{fault.name} at {at - began:.0f} s: {whose} {', '.join(missing)}"


def leak_failures(early: Census | None, late: Census | None) -> Iterator[str]:
    if early is not None and late is not None:
        yield from (f"a leak: {text}" for text in leaks(early, late))


@dataclass(slots=True)
class Stored:
    """``compared`` counts the segments that a viewer got and the store has, ``gaps`` those without media."""

    failures: list[str] = field(default_factory=list)
    recordings: int = 0
    gaps: int = 0
    compared: int = 0


def stored_failures(store: Path, digests: Mapping[str, str], folder: Path) -> Stored:
    """Judge the stored broadcasts. ``digests`` are those of the segments that viewers got, by path."""
    found = Stored()
    for record in ended_records(store):
        if record["ended_at"] is None:
            found.failures.append(f"the broadcast {record['broadcast']} has not ended in the catalogue")
    for stream in sorted((store / "live").glob("*/")):
        recordings = read_recordings(stream)
        if len(recordings) != 1:
            found.failures.append(f"{stream.name} has {len(recordings)} recordings, not one")
        for recording in recordings:
            found.recordings += 1
            for track in recording.tracks:
                who = f"the recording of {stream.name}, {track.name}"
                found.failures += [f"{who}: {text}" for text in judge_track(track)]
                found.gaps += sum(not segment.fragments for segment in track.segments)
                msns = [segment.msn for segment in track.segments]
                if msns != list(range(msns[0], msns[0] + len(msns))):
                    found.failures.append(f"{who}: segments are missing")
                if errors := read(track).errors:
                    found.failures.append(f"{who}: {len(errors)} errors of FFmpeg: {errors[0]}")
    for path, digest in digests.items():
        stored = store / "live" / path
        if not stored.is_file():
            found.failures.append(f"a viewer got {path}, but the store does not have it")
        elif sha256(stored.read_bytes()).hexdigest() != digest:
            found.failures.append(f"{path} has other bytes in the store than a viewer got")
        else:
            found.compared += 1
    return found
