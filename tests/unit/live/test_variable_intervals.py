"""Sources whose frame intervals vary, through cutter, tracks and live window, checked from the clauses of
draft-pantos-hls-rfc8216bis."""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from live.messages import LiveMessage
from live.window_track import Position
from media.units import VIDEO_TIMESCALE as S
from packager.cmaf.frame_interval import TOLERANCE
from packager.cmaf.segment_writer import Part
from tests.lab.fragments import read_fragments
from tests.unit.live.scripted import (
    PART_TARGET,
    PART_TARGET_US,
    Script,
    messages,
    parts_of,
    read,
    segments_of,
    text,
    walk,
)

VIDEOS = ("vsource", "v360p")
TRACKS = (*VIDEOS, "asource")


def times_of(intervals_ms: Sequence[int], count: int) -> list[int]:
    """The decoding times of ``count`` frames whose intervals repeat ``intervals_ms``, as FLV rounds them."""
    repeated = (intervals_ms[place % len(intervals_ms)] for place in range(count - 1))
    return [90 * ms for ms in accumulate(repeated, initial=0)]


def script(intervals_ms: Sequence[int], keys_every: int, declared: int | None, count: int = 300) -> Script:
    rate = None if declared is None else Fraction(declared)
    return Script(count, range(0, count, keys_every), times=times_of(intervals_ms, count), declared=rate)


TWENTY_FIVE_IN_THIRTY = script((33, 33, 34, 33, 67), 48, 30)


def assert_parts_fit(sent: list[LiveMessage], longest_interval: int) -> None:
    """4.4.4.9: no part exceeds the target, and every part but a segment's last has 85 % of it. If a frame lasts
    more than 15 % of the target, a part is shorter by at most that frame."""
    for track in TRACKS:
        made = parts_of(sent, track)
        scale = 48_000 if track == "asource" else S
        lasts = {(part.msn, part.index) for part, after in pairwise(made) if part.msn != after.msn}
        for part in made[:-1]:
            assert part.duration * S <= PART_TARGET * scale
            if (part.msn, part.index) in lasts:
                continue
            shortest = PART_TARGET - (longest_interval if track != "asource" else 0)
            assert part.duration * S * 100 >= min(85 * PART_TARGET, 100 * shortest) * scale


def assert_hints_are_answered(sent: list[LiveMessage]) -> None:
    """4.4.5.3 and 6.2.5.2: the next part has the hinted name, or a request for the hinted name gets it. If segments
    were equally long so far, the hint names the next segment; a request for it waits if this one continues."""
    hinted: dict[str, str] = {}
    for window, message in walk(sent):
        if not isinstance(message, Part):
            continue
        if (uri := hinted.pop(message.track, None)) is not None:
            msn, index = map(int, uri.removesuffix(".m4s").split("."))
            if (msn, index) == (message.msn + 1, 0):
                assert window.part(message.track, Position(msn, index)) is None
                continue
            assert window.part(message.track, Position(msn, index)) == message.data, (message.track, uri)
        if window.tracks[message.track].entries:
            found = re.search(r'PRELOAD-HINT:.*URI="([^"]+)"', text(window, message.track))
            assert found is not None
            hinted[message.track] = found[1]


def assert_times_are_the_timestamps(sent: list[LiveMessage], played: Script, within: int = TOLERANCE) -> None:
    """Every frame is presented at its timestamp, decoding times have no hole, and each segment of each rendition
    that a keyframe starts does so ``within`` the keyframe's timestamp, so EXTINF sums do not drift."""
    times = played.times
    for track in VIDEOS:
        made = segments_of(sent, track)
        fragments = [fragment for segment in made for fragment in read_fragments(segment.data)]
        for fragment, after in pairwise(fragments):
            end = fragment.base_media_decode_time + sum(sample.duration for sample in fragment.samples)
            assert end == after.base_media_decode_time
        shown = [sample.pts for fragment in fragments for sample in fragment.samples]
        assert shown == list(times[: len(shown)])
        for segment in made:
            # If a keyframe comes later than EXT-X-TARGETDURATION allows, another frame starts the segment.
            assert (
                not segment.entry.independent
                or min(abs(segment.entry.start - times[key]) for key in played.keys) <= within
            )
        assert sum(segment.entry.duration for segment in made) == made[-1].entry.start + made[-1].entry.duration
    spans = [[(s.entry.start, s.entry.duration) for s in segments_of(sent, track)] for track in VIDEOS]
    assert spans[0] == spans[1]


@pytest.mark.parametrize(
    "played",
    [
        TWENTY_FIVE_IN_THIRTY,
        script((33, 33, 34, 33, 67), 50, 30),
        script((40,), 50, 30),
        script((33, 33, 34), 60, 1),
        script((33, 33, 34), 60, 5),
        script((33, 33, 34), 60, 240),
        script((16, 17, 17), 120, 30),
        script((42, 41, 42), 48, None),
        script((33, 67), 40, 25),
    ],
    ids=lambda played: f"{played.declared}-{len(played.times)}",
)
def test_a_source_may_declare_a_rate_that_it_does_not_have(played: Script) -> None:
    sent = messages(played)
    assert_parts_fit(sent, max(after - before for before, after in pairwise(played.times)))
    assert_hints_are_answered(sent)
    assert_times_are_the_timestamps(sent, played)


@settings(max_examples=60)
@given(
    intervals_ms=st.lists(st.integers(8, 100), min_size=1, max_size=40),
    keys_every=st.integers(12, 90),
    declared=st.one_of(st.none(), st.integers(1, 240)),
)
def test_parts_hints_and_times_are_right_for_any_intervals(
    intervals_ms: list[int], keys_every: int, declared: int | None
) -> None:
    # With keyframes further apart, cuts fall on any frame.
    assume(keys_every * max(intervals_ms) < 5_500)
    played = script(intervals_ms, keys_every, declared, count=200)
    sent = messages(played)
    if not segments_of(sent, "vsource"):
        return
    assert_parts_fit(sent, 90 * max(intervals_ms))
    assert_hints_are_answered(sent)
    # A segment that was sent ends an expected interval after its last frame, which may itself be an interval late.
    assert_times_are_the_timestamps(sent, played, within=90 * sum(sorted(intervals_ms)[-2:]))


@settings(max_examples=10, deadline=None)
@given(stall_ms=st.integers(310, 450), at=st.integers(65, 110))
def test_a_stall_inside_a_segment_is_spread_over_parts_that_fit(stall_ms: int, at: int) -> None:
    """The frames after it are decoded early, and presented at their timestamps."""
    times = times_of((33, 33, 34), 300)
    times = times[:at] + [time + 90 * stall_ms for time in times[at:]]
    sent = messages(Script(300, range(0, 300, 120), times=times))
    for part in parts_of(sent, "vsource"):
        assert part.duration <= PART_TARGET
    shown = [
        sample.pts
        for segment in segments_of(sent, "vsource")
        for fragment in read_fragments(segment.data)
        for sample in fragment.samples
    ]
    assert shown == times[: len(shown)]


def test_playlists_announce_the_target_that_the_parts_keep() -> None:
    for window, message in walk(messages(TWENTY_FIVE_IN_THIRTY)):
        if isinstance(message, Part) and window.tracks[message.track].entries:
            playlist = read(window, message.track)
            assert playlist.part_target_us == PART_TARGET_US
            assert all(p.duration_us <= PART_TARGET_US for segment in playlist.segments for p in segment.parts)
