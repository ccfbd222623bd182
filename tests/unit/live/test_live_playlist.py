"""Low-latency playlists, checked from the clauses of draft-pantos-hls-rfc8216bis after every message."""

import re
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.messages import LiveMessage
from live.window import LiveWindow
from live.window_track import Position
from packager import hls
from packager.cmaf.segment_writer import Part
from packager.hls import MediaPlaylist
from tests.unit.live.scripted import (
    PART_TARGET_US,
    Script,
    messages,
    parts_of,
    read,
    segments_of,
    text,
    walk,
    window_after,
)

TRACKS = ("vsource", "v360p", "asource")
REGULAR = messages(Script(30 * 30, range(0, 900, 60)))
# Keyframes earlier and later than the hint expects, a broadcaster that was disconnected, a rendition with a hole.
IRREGULAR = messages(
    Script(900, {0, 60, 120, 170, 240, 330, 380, 450, 520, 600, 655, 720}, breaks={450}, unseen=range(240, 380))
)
BROADCASTS = pytest.mark.parametrize("sent", [REGULAR, IRREGULAR], ids=["regular", "irregular"])
TRACK = pytest.mark.parametrize("track", TRACKS)


def newest(window: LiveWindow, track: str) -> Position | None:
    return window.tracks[track].end if track in window.tracks and window.tracks[track].entries else None


def listed_parts(playlist: MediaPlaylist) -> dict[str, hls.PartialSegment]:
    segments = [part for segment in playlist.segments for part in segment.parts]
    return {part.uri: part for part in (*segments, *(playlist.partial.parts if playlist.partial else ()))}


def place(uri: str) -> Position:
    found = re.fullmatch(r"([0-9]+)\.([0-9]+)\.m4s", uri)
    assert found is not None
    return Position(int(found[1]), int(found[2]))


@BROADCASTS
@TRACK
def test_parts_last_85_to_100_percent_of_the_target_but_the_last_of_a_segment(
    sent: list[LiveMessage], track: str
) -> None:
    """4.4.4.9."""
    window = window_after(sent)
    playlist = read(window, track)
    assert playlist.part_target_us == PART_TARGET_US
    checked = 0
    for segment in playlist.segments:
        for part in segment.parts:
            assert part.duration_us <= PART_TARGET_US
        for part in segment.parts[:-1]:
            assert part.duration_us >= 0.85 * PART_TARGET_US
            checked += 1
        if segment.parts:
            together = sum(part.duration_us for part in segment.parts)
            assert together == pytest.approx(segment.duration_us, abs=len(segment.parts))
    assert checked > 10


@TRACK
def test_parts_that_begin_with_a_keyframe_are_independent(track: str) -> None:
    """4.4.4.9: a part that begins with an independent frame; every part of audio does."""
    for segment in read(window_after(REGULAR), track).segments:
        independent = [part.independent for part in segment.parts]
        assert independent == (
            [True] * len(independent)
            if track == "asource"
            else [True, False, False, False, False, False][: len(independent)]
        )


def test_the_server_announces_its_abilities() -> None:
    """4.4.3.7 and 4.4.3.8."""
    playlist = read(window_after(REGULAR), "vsource")
    control = playlist.server_control
    target_us = playlist.target_duration * 1_000_000
    assert control is not None and control.can_block_reload
    assert control.part_hold_back_us is not None and control.part_hold_back_us >= 3 * PART_TARGET_US
    assert control.hold_back_us is not None and control.hold_back_us >= 3 * target_us
    assert control.can_skip_until_us is not None and control.can_skip_until_us >= 6 * target_us
    assert "#EXT-X-VERSION:" in text(window_after(REGULAR), "vsource")


def test_every_playlist_has_the_same_targets() -> None:
    """6.2.2: the part target and the target duration never change, and are the same in all renditions."""
    targets = set()
    for window, _ in walk(REGULAR):
        for track in TRACKS:
            if newest(window, track) is not None:
                playlist = read(window, track)
                targets.add((playlist.target_duration, playlist.part_target_us, playlist.server_control))
    assert len(targets) == 1


@BROADCASTS
@TRACK
def test_parts_are_listed_within_three_target_durations_of_the_end(sent: list[LiveMessage], track: str) -> None:
    """4.4.4.9: all that end within, none of a segment that ended before."""
    looked = 0
    for window, message in walk(sent):
        if not isinstance(message, Part) or message.track != track or newest(window, track) is None:
            continue
        playlist = read(window, track)
        distance = sum(part.duration_us for part in playlist.partial.parts) if playlist.partial else 0
        for segment in reversed(playlist.segments):
            near = distance < 3 * playlist.target_duration * 1_000_000
            assert bool(segment.parts) is (near and not segment.gap)
            distance += segment.duration_us
        looked += 1
    assert looked > 50


@TRACK
def test_the_hint_names_the_next_part(track: str) -> None:
    """4.4.5.3, after every part of a regular broadcast."""
    made = parts_of(REGULAR, track)
    after = {(part.msn, part.index): f"{then.msn}.{then.index}.m4s" for part, then in pairwise(made)}
    checked = 0
    for window, message in walk(REGULAR):
        if not isinstance(message, Part) or message.track != track or newest(window, track) is None:
            continue
        hint = read(window, track).preload_hint
        if (message.msn, message.index) in after:
            assert hint is not None
            assert hint.uri == after[message.msn, message.index]
            checked += 1
    assert checked > 60


@TRACK
def test_a_hint_that_was_wrong_still_gets_bytes(track: str) -> None:
    """The segment ended earlier or later than expected; the next part is served under the hinted name too."""
    hinted: dict[str, str] = {}
    wrong = 0
    for window, message in walk(IRREGULAR):
        if not isinstance(message, Part) or message.track != track:
            continue
        name = f"{message.msn}.{message.index}.m4s"
        for uri in [uri for uri, at in hinted.items() if at == "waits"]:
            data = window.part(track, place(uri))
            if data is not None:
                assert data == message.data
                hinted[uri] = name
                wrong += uri != name
        if newest(window, track) is not None:
            hint = read(window, track).preload_hint
            assert hint is not None
            assert window.is_near(track, place(hint.uri))
            hinted.setdefault(hint.uri, "waits")
    unanswered = [uri for uri, at in hinted.items() if at == "waits"]
    assert len(unanswered) <= 1 and (wrong >= 2 or track == "asource")


@BROADCASTS
@TRACK
def test_every_other_rendition_is_reported_and_never_behind(sent: list[LiveMessage], track: str) -> None:
    """4.4.5.4: where each was when the playlist was rendered."""
    for window, message in walk(sent):
        if not isinstance(message, Part) or newest(window, track) is None:
            continue
        reports = {
            report.uri: (report.last_msn, report.last_part) for report in read(window, track).rendition_reports
        }
        published = {}
        for other in TRACKS:
            known = window.tracks.get(other)
            if other != track and known is not None and known.end is not None:
                end = known.end
                parts = known.parts_of(end.msn) if end.part is None else ()
                published[f"../{other}/media.m3u8"] = (end.msn, len(parts) - 1 if parts else end.part)
        assert reports == published
        if isinstance(message, Part) and message.track != track:
            assert reports[f"../{message.track}/media.m3u8"] == (message.msn, message.index)


def test_the_part_after_a_reported_one_can_be_requested() -> None:
    """6.2.5.2: a player that switches renditions requests it."""
    for window, _ in walk(IRREGULAR):
        if newest(window, "vsource") is None:
            continue
        for report in read(window, "vsource").rendition_reports:
            track = report.uri.split("/")[1]
            if report.last_part is not None:
                assert window.is_near(track, Position(report.last_msn, report.last_part + 1))


@BROADCASTS
@TRACK
def test_a_position_has_the_same_text_for_every_request(sent: list[LiveMessage], track: str) -> None:
    """So caches can keep the answer to a blocking request: requested at once, and again seconds later."""
    texts: dict[Position, str] = {}
    for window, message in walk(sent):
        if isinstance(message, Part) and message.track == track and newest(window, track) is not None:
            position = Position(message.msn, message.index)
            if window.recalled(track, position):
                texts[position] = text(window, track, position)
        for position in list(texts)[-20:]:
            assert text(window, track, position) == texts[position]
    assert len(texts) > 50


@BROADCASTS
@TRACK
@pytest.mark.parametrize("stored", [True, False])
def test_a_position_that_is_first_requested_late_has_the_playlist_of_its_time(
    sent: list[LiveMessage], track: str, stored: bool
) -> None:
    """Also when its media has left memory."""
    at_once = {}
    for window, message in walk(sent):
        if isinstance(message, Part) and message.track == track and newest(window, track) is not None:
            position = Position(message.msn, message.index)
            if window.recalled(track, position):
                at_once[position] = read(window, track, position)
    late = window_after(sent)
    assert late.tracks[track].segments.get(1) is None
    for position, then in at_once.items():
        now = read(late, track, position)
        assert now == then, position


@TRACK
def test_a_position_ends_with_its_part(track: str) -> None:
    late = window_after(REGULAR)
    for made in parts_of(REGULAR, track)[30:]:
        position = Position(made.msn, made.index)
        playlist = read(late, track, position)
        assert list(listed_parts(playlist))[-1] == f"{made.msn}.{made.index}.m4s"
        assert playlist.segments[-1].uri == f"{made.msn - 1}.m4s"
        whole = read(late, track, Position(made.msn - 1))
        assert whole.segments == playlist.segments[: len(whole.segments)] or whole.partial is None
        assert whole.partial is None and whole.segments[-1].uri == f"{made.msn - 1}.m4s"
        assert whole.preload_hint == hls.PreloadHint(f"{made.msn}.0.m4s")


@BROADCASTS
@TRACK
def test_a_delta_update_expands_to_the_full_playlist(sent: list[LiveMessage], track: str) -> None:
    """4.4.5.2 and 6.2.5.1: nothing within the skip boundary is skipped, and nothing is lost."""
    skipping = 0
    for window, message in walk(sent):
        if not isinstance(message, Part) or message.track != track or newest(window, track) is None:
            continue
        whole, delta = read(window, track), read(window, track, skip=True)
        count = delta.skipped_segments
        edge = sum(part.duration_us for part in whole.partial.parts) if whole.partial else 0
        assert whole.server_control is not None and whole.server_control.can_skip_until_us is not None
        for at, segment in enumerate(reversed(whole.segments)):
            assert edge >= whole.server_control.can_skip_until_us or at < len(whole.segments) - count
            edge += segment.duration_us
        assert replace(delta, segments=whole.segments[:count] + delta.segments, skipped_segments=0) == whole
        skipping += count > 0
    assert skipping > 20
    shorter = text(window_after(sent), track, skip=True)
    assert int(shorter.split("#EXT-X-VERSION:")[1].split()[0]) >= 9


@BROADCASTS
@TRACK
def test_program_date_time_advances_by_the_durations(sent: list[LiveMessage], track: str) -> None:
    """4.4.4.6, also at the open segment and over gaps; otherwise a player's picture freezes."""
    for window, message in walk(sent):
        if not isinstance(message, Part) or message.track != track or newest(window, track) is None:
            continue
        playlist = read(window, track)
        expected: float | None = None
        for segment in playlist.segments:
            assert segment.program_date_time is not None
            if expected is not None and not segment.discontinuity:
                assert segment.program_date_time == pytest.approx(expected, abs=23 if segment.gap else 1)
            expected = segment.program_date_time + segment.duration_us / 1000
            if segment.gap:
                expected = None
        partial = playlist.partial
        if partial is not None and expected is not None and not partial.discontinuity:
            assert partial.program_date_time == pytest.approx(expected, abs=1)


def test_a_discontinuity_precedes_the_first_part_after_it() -> None:
    """4.4.4.3: before the EXT-X-PARTs of its segment, and later before the segment."""
    (entry,) = {message.opened for message in parts_of(IRREGULAR, "vsource") if message.opened.discontinuity}
    late = window_after(IRREGULAR)
    first = read(late, "vsource", Position(entry.msn, 0))
    assert first.partial is not None and first.partial.discontinuity
    assert text(late, "vsource", Position(entry.msn, 0)).count("#EXT-X-DISCONTINUITY\n") == 1
    after = read(late, "vsource", Position(entry.msn))
    assert after.segments[-1].discontinuity and [s.discontinuity for s in after.segments].count(True) == 1


def test_parts_from_before_a_new_sample_rate_keep_their_durations() -> None:
    script = Script(680, range(0, 680, 60), breaks={540}, changes={540}, changed_rate=32_000)
    segments = read(window_after(messages(script)), "asource").segments
    assert len({segment.map_uri for segment in segments}) == 2
    for segment in segments[-3:]:
        assert sum(part.duration_us for part in segment.parts) == pytest.approx(segment.duration_us, abs=10)


def test_a_gap_has_no_parts_and_the_hint_skips_it() -> None:
    gaps = {segment.entry.msn for segment in segments_of(IRREGULAR, "v360p") if segment.entry.gap}
    assert gaps
    gap = min(gaps)
    playlist = read(window_after(IRREGULAR), "v360p", Position(gap))
    assert playlist.segments[-1].gap and playlist.segments[-1].parts == ()
    late = window_after(IRREGULAR)
    before = Position(gap - 1, 99)
    first = next(part for part in parts_of(IRREGULAR, "v360p") if part.msn > gap)
    assert late.tracks["v360p"].normalize(before) == Position(first.msn, 0)


def test_each_track_ends_with_its_newest_part() -> None:
    """The parts of audio and video differ in length, so each track is at its own position."""
    ends: dict[str, set[Position | None]] = {track: set() for track in TRACKS}
    for window, message in walk(REGULAR):
        if isinstance(message, Part):
            made = Position(message.msn, message.index)
            assert window.tracks[message.track].end == made
            if newest(window, message.track) is not None:
                playlist = read(window, message.track)
                assert list(listed_parts(playlist))[-1] == f"{made.msn}.{made.part}.m4s"
                ends[message.track].add(made)
    assert len(ends["asource"]) > len(ends["vsource"])


def test_an_ended_broadcast_has_no_low_latency_tags() -> None:
    window = window_after(messages(Script(600, range(0, 600, 60), ends=True)))
    for track in TRACKS:
        for position in (None, Position(3, 1), Position(10), Position(99, 99)):
            for skip in (False, True):
                playlist = read(window, track, position, skip=skip)
                assert playlist.ended and len(playlist.segments) == 10
                assert playlist == hls.parse_media(text(window, track))
                assert_ordinary(text(window, track, position, skip=skip))


def test_without_low_latency_its_tags_are_absent() -> None:
    for window, _ in walk(messages(Script(300, range(0, 300, 60), low_latency=None))):
        for track in TRACKS:
            if newest(window, track) is not None:
                assert_ordinary(text(window, track))


def assert_ordinary(playlist: str) -> None:
    for tag in ("SERVER-CONTROL", "PART-INF", "PART:", "PRELOAD-HINT", "RENDITION-REPORT", "SKIP"):
        assert f"#EXT-X-{tag}" not in playlist


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    frames = draw(st.integers(150, 420))
    keys: Collection[int] = {0, *draw(st.sets(st.integers(1, frames), max_size=10))}
    hole = draw(st.integers(0, frames))
    return Script(
        frames,
        keys,
        breaks=draw(st.sets(st.integers(30, frames), max_size=2)),
        unseen=range(hole, hole + draw(st.integers(0, 150))),
        stored=draw(st.booleans()),
        window_ms=draw(st.sampled_from((4000, 10_000))),
        ends=draw(st.booleans()),
    )


@settings(max_examples=25)
@given(scripts())
def test_playlists_are_valid_whatever_the_broadcaster_does(script: Script) -> None:
    sent = messages(script)
    whole: dict[tuple[str, str], bytes] = {}
    ends: dict[str, tuple[int, int]] = {}
    for window, message in walk(sent):
        if isinstance(message, Part):
            whole[message.track, f"{message.msn}.{message.index}.m4s"] = message.data
            before, end = ends.get(message.track, (-1, -1)), (message.msn, message.index)
            assert end == (before[0], before[1] + 1) or (end[0] > before[0] and end[1] == 0)
            ends[message.track] = end
        for track in TRACKS:
            if newest(window, track) is None:
                continue
            playlist = read(window, track)
            for uri in listed_parts(playlist):
                held = window.part(track, place(uri))
                assert held in (None, whole[track, uri])
            for segment in playlist.segments:
                if segment.parts:
                    data = b"".join(whole[track, part.uri] for part in segment.parts)
                    assert window.media(track, int(segment.uri.removesuffix(".m4s"))) in (None, data)
