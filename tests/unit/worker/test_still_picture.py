"""Video that is missing while the audio goes on: the last keyframe is repeated."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit, Kind
from packager.facts import SegmentEntry
from tests.lab.fragments import read_fragments
from tests.unit.packager.recording import audio_config, video_config
from tests.unit.worker.test_broadcast import Bench, both, time_of


def off(units: Iterable[AccessUnit], first: float, last: float) -> list[AccessUnit]:
    return [unit for unit in units if unit.kind is Kind.AUDIO or not first <= time_of(unit) < last]


async def published(units: Iterable[AccessUnit]) -> Bench:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(units)
    await bench.finish()
    return bench


def video_entries(bench: Bench) -> list[SegmentEntry]:
    return [segment.entry for segment in bench.segments if segment.track == "vsource"]


def pictures(bench: Bench) -> list[tuple[int, bool]]:
    """The presentation time and the key flag of every sample of the source's video."""
    return [
        (sample.pts, sample.key)
        for segment in bench.segments
        if segment.track == "vsource"
        for fragment in read_fragments(segment.data)
        for sample in fragment.samples
    ]


@pytest.mark.parametrize(("first", "last"), [(6, 16), (6.5, 16), (5, 6), (4.9, 16.0)])
async def test_segments_go_on_at_the_same_times_while_the_camera_is_off(first: float, last: float) -> None:
    bench = await published(off(both(20), first, last))
    entries = video_entries(bench)
    assert [(entry.start, entry.duration) for entry in entries] == [(2 * n * S, 2 * S) for n in range(10)]
    assert not any(entry.gap or entry.discontinuity for entry in entries)
    assert bench.broadcast.dropped == {}


async def test_the_picture_is_repeated_once_per_part() -> None:
    bench = await published(off(both(20), 6, 16))
    still = [pts for pts, _ in pictures(bench) if 6 * S <= pts < 16 * S]
    assert all(key for pts, key in pictures(bench) if 6 * S <= pts < 16 * S)
    steps = {later - earlier for earlier, later in pairwise(still)}
    assert max(steps) <= S // 3
    assert 30 <= len(still) <= 36


async def test_frames_without_their_keyframe_are_dropped() -> None:
    """The encoder dropped video from 6.5 s to 15 s. Its next keyframe is at 16 s."""
    bench = await published(off(both(20), 6.5, 15))
    assert bench.broadcast.dropped == {"late-video": 30}
    assert all(key for pts, key in pictures(bench) if 7 * S <= pts < 16 * S)
    assert not any(entry.discontinuity for entry in video_entries(bench))


async def test_a_source_without_keyframes_continues_after_the_longest_wait() -> None:
    """One keyframe and then intra refresh: the options allow 6 s between keyframes."""
    units = [unit._replace(key=unit.key and (unit.kind is Kind.AUDIO or unit.dts == 0)) for unit in both(30)]
    bench = await published(off(units, 6, 10))
    assert bench.broadcast.dropped == {"late-video": 180}


async def test_late_video_is_not_missing() -> None:
    """The encoder sends all video 3 s after the audio of its time."""
    bench = await published(sorted(both(20), key=lambda unit: time_of(unit) + 3 * (unit.kind is Kind.VIDEO)))
    assert bench.broadcast.dropped == {}
    assert len(pictures(bench)) == 600


async def test_a_hole_of_both_tracks_is_not_filled() -> None:
    units = [unit for unit in both(20) if not 6 <= time_of(unit) < 16]
    bench = await published(units)
    assert len(pictures(bench)) == 300
    assert [entry.discontinuity for entry in video_entries(bench)].count(True) == 1


async def test_the_timeline_never_runs_back_behind_the_still_picture() -> None:
    """The camera is off from 6 s on. When repetitions have reached 9 s, the configuration changes, and the video
    goes on at 7 s."""
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    units = both(20)
    bench.feed(unit for unit in off(units, 6, 20) if time_of(unit) < 10)
    bench.broadcast.on_config(replace(video_config(), sample_aspect_ratio=Fraction(4, 3)))
    late = [unit for unit in units if unit.kind is Kind.VIDEO and 7 <= time_of(unit) < 17]
    sounds = [unit for unit in units if unit.kind is Kind.AUDIO and time_of(unit) >= 10]
    for place, unit in enumerate(late):
        bench.feed([unit, *sounds[place : place + 1]])
    await bench.finish()
    entries = video_entries(bench)
    assert all(earlier.start + earlier.duration <= later.start for earlier, later in pairwise(entries))
    assert [entry.discontinuity for entry in entries].count(True) == 1
