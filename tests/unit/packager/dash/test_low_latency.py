from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from packager.dash import AdaptationSet, Period, Presentation, SegmentTemplate, keep_publish_time, render
from packager.dash.build import dash_presentation
from packager.facts import BroadcastFacts, LowLatency, SegmentEntry, TrackFacts
from packager.runs import assign_run
from tests.unit.packager.broadcasts import A128, FACTS, SEGMENT_TICKS, STEREO, V480, V720, ZERO_MS, broadcast

LOW = replace(FACTS, low_latency=LowLatency(part_target_us=333_333))
TRACKS = (V720, V480, A128)
A44 = replace(A128, track="a44", config=replace(STEREO, sample_rate=44_100))
Entries = Mapping[str, Sequence[SegmentEntry]]


def present(entries: Entries, facts: BroadcastFacts = LOW, now_ms: int = ZERO_MS) -> Presentation:
    return dash_presentation(facts, entries, publish_time_ms=now_ms, base_url=None)


def window(entries: Entries, first: int, last: int) -> Entries:
    return {track: [e for e in made if first <= e.msn <= last] for track, made in entries.items()}


def cut_at(seconds: Sequence[float], tracks: Sequence[TrackFacts] = TRACKS) -> Entries:
    """Segments between the given times on every track, audio in whole frames."""
    made: dict[str, list[SegmentEntry]] = {}
    for track in tracks:
        scale = track.config.timescale
        frame = 1 if track.frame_rate else 1024
        edges = [-(-round(at * scale) // frame) * frame for at in seconds]
        previous = None
        for msn, (start, end) in enumerate(pairwise(edges)):
            entry = SegmentEntry(msn, start, end - start, 1, 0, False, False, ZERO_MS)
            previous = assign_run(entry, previous, start_ms=round(seconds[msn] * 1000), timescale=scale)
            made.setdefault(track.track, []).append(previous)
    return made


def template(adaptation_set: AdaptationSet) -> SegmentTemplate:
    assert adaptation_set.segment_template is not None
    return adaptation_set.segment_template


def has_duration(presentation: Presentation) -> list[tuple[str, bool]]:
    """Each Period's id, and whether its segments have a @duration and no timeline."""
    return [(p.id, template(p.adaptation_sets[0]).timeline is None) for p in presentation.periods]


def expected_time(period: Period, adaptation_set: AdaptationSet, number: int) -> Fraction:
    """The presentation time that a player derives for a segment, in seconds of broadcast time."""
    segments = template(adaptation_set)
    assert segments.duration is not None
    ticks = (number - segments.start_number) * segments.duration
    return Fraction(period.start_ms, 1000) + Fraction(ticks, segments.timescale)


def test_template_starts_at_the_first_segment_of_the_run() -> None:
    (period,) = present(window(broadcast(TRACKS, 40), 12, 39)).periods
    video, audio = period.adaptation_sets
    assert video.segment_template == SegmentTemplate(
        initialization="$RepresentationID$/init-0.mp4",
        media="$RepresentationID$/$Number$.m4s",
        timescale=90_000,
        start_number=0,
        duration=SEGMENT_TICKS,
        availability_time_offset_ms=2002 - 334,
        availability_time_complete=False,
    )
    assert (template(audio).timescale, template(audio).duration) == (48_000, 96_096)


@pytest.mark.parametrize("sound", [A128, A44])
def test_segment_start_follows_from_its_number(sound: TrackFacts) -> None:
    """Video exact within 1 ms, audio within a frame, also after an hour and in a run that starts at any time."""
    made = broadcast((V720, sound), 1800, discontinuities={7}, away_ticks=1_234_530)
    facts = replace(LOW, tracks=(V720, sound))
    for period, numbers in zip(present(made, facts).periods, (range(7), range(7, 1800)), strict=True):
        for adaptation_set, track in zip(period.adaptation_sets, (V720, sound), strict=True):
            for number in numbers:
                entry = made[track.track][number]
                late = Fraction(entry.start, track.config.timescale) - expected_time(period, adaptation_set, number)
                limit = Fraction(1, 1000) if track is V720 else Fraction(1024, track.config.timescale)
                assert -Fraction(1, track.config.timescale) <= late < limit


def test_service_description_has_latency_and_playback_rates() -> None:
    presentation = present(broadcast(TRACKS, 10))
    (description,) = presentation.service_descriptions
    assert description.latency is not None and description.playback_rate is not None
    assert (description.latency.min_ms, description.latency.target_ms, description.latency.max_ms) == (
        668,
        1102,
        5106,
    )
    assert (description.playback_rate.min, description.playback_rate.max) == (Fraction("0.97"), Fraction("1.03"))
    assert presentation.suggested_presentation_delay_ms == 1102
    assert presentation.minimum_update_period_ms == 2002
    assert presentation.min_buffer_time_ms == 334
    assert description.latency.reference_id == presentation.periods[0].adaptation_sets[0].id


def test_producer_reference_time_is_that_of_the_period_start() -> None:
    presentation = present(broadcast(TRACKS, 20, discontinuities={9}, away_ticks=90_000))
    for period in presentation.periods:
        for adaptation_set in period.adaptation_sets:
            (reference,) = adaptation_set.producer_reference_times
            assert (reference.id, reference.type, reference.inband) == (adaptation_set.id, "encoder", True)
            assert reference.wall_clock_ms == ZERO_MS + period.start_ms
            assert reference.presentation_time == template(adaptation_set).presentation_time_offset
            assert (reference.utc_timing,) == presentation.utc_timings


def test_mpd_stays_the_same_while_segments_are_added() -> None:
    made = broadcast(TRACKS, 60)
    seen: Presentation | None = None
    texts = set()
    for last in range(60):
        windowed = window(made, max(0, last - 9), last)
        seen = keep_publish_time(present(windowed, now_ms=ZERO_MS + last), seen)
        texts.add(render(seen))
    assert len(texts) == 1
    changed = keep_publish_time(present(made, replace(LOW, playlist_window_ms=1), ZERO_MS + 99), seen)
    assert changed.publish_time_ms == ZERO_MS + 99


def test_track_one_segment_behind_does_not_change_the_presentation() -> None:
    made = dict(broadcast(TRACKS, 20))
    complete = present(made)
    made["v480p"] = made["v480p"][:-1]
    assert present(made) == complete


def test_one_segment_of_another_duration_starts_a_new_period() -> None:
    """The keyframe expected at 16 s comes at 15.6 s, so the segment before it is the last of its pace."""
    made = cut_at([0, 2, 4, 6, 8, 10, 12, 14, *(15.6 + 2 * n for n in range(10))])
    first, second = present(made).periods
    assert (first.id, second.id, second.start_ms) == ("n0", "n8", 15_600)
    assert [template(s).end_number for s in first.adaptation_sets] == [7, 7]
    assert template(second.adaptation_sets[0]).start_number == 8
    assert template(second.adaptation_sets[0]).duration == 180_000
    assert second.adaptation_sets[0].supplemental_properties[0].value == "n0"


def test_segment_of_another_duration_ends_the_period_after_the_next_segment() -> None:
    made = cut_at([0, 2, 4, 6, 8, 10, 13, 15])
    assert has_duration(present(window(made, 0, 5))) == [("n0", True)]
    assert has_duration(present(made)) == [("n0", True), ("n6", True)]


def test_source_with_irregular_segments_has_a_timeline() -> None:
    presentation = present(cut_at([0, 2, 4.5, 6, 9, 11, 12.5, 15]))
    assert has_duration(presentation) == [("n0", True), ("p2", False)]
    assert presentation.service_descriptions == ()
    assert presentation.suggested_presentation_delay_ms == 6000
    with_timeline = template(presentation.periods[1].adaptation_sets[0])
    assert (with_timeline.availability_time_offset_ms, with_timeline.availability_time_complete) == (None, None)
    assert presentation.periods[1].adaptation_sets[0].producer_reference_times == ()


def test_source_that_becomes_regular_has_a_duration_again() -> None:
    times = [0, 2, 4.5, 6, 9, *range(11, 29, 2)]
    assert has_duration(present(cut_at(times[:-2]))) == [("n0", True), ("p2", False)]
    assert has_duration(present(cut_at(times))) == [("n0", True), ("p2", False), ("n12", True)]


def test_period_never_changes_between_duration_and_timeline() -> None:
    """Periods also keep their starts, for a source with irregular keyframes."""
    made = cut_at([0, 2, 4, 6, 8, 9.5, 11.5, 13.5, 15.5, 17.5, 20, 21, 23, 26, 28, 30, 32, 34, 36, 39, 41, 43, 45])
    seen: dict[str, tuple[int, bool]] = {}
    for last in range(len(made["vsource"])):
        for period in present(window(made, last - 4, last)).periods:
            known = (period.start_ms, template(period.adaptation_sets[0]).timeline is None)
            assert seen.setdefault(period.id, known) == known
    assert len({name[1:] for name in seen}) == len(seen)


def test_gap_on_one_track_keeps_numbers_and_times() -> None:
    made = dict(broadcast(TRACKS, 12))
    made["v480p"] = broadcast((V480,), 12, gaps={5, 6})["v480p"]
    periods = present(made).periods
    assert [(p.id, template(p.adaptation_sets[0]).start_number) for p in periods] == [
        ("n0", 0),
        ("n5", 5),
        ("n7", 7),
    ]
    for period in periods:
        number = template(period.adaptation_sets[0]).start_number
        entry = made["vsource"][number]
        late = Fraction(entry.start, 90_000) - expected_time(period, period.adaptation_sets[0], number)
        assert 0 <= late < Fraction(1, 1000)


def test_audio_only_broadcast_has_a_pace() -> None:
    facts = replace(LOW, tracks=(A128,))
    edges = [n * 94 * 1024 / 48_000 for n in range(12)]
    (period,) = present(cut_at(edges, (A128,)), facts).periods
    assert template(period.adaptation_sets[0]).duration == 94 * 1024


def test_ended_or_normal_latency_broadcast_has_no_low_latency_elements() -> None:
    made = broadcast(TRACKS, 12, discontinuities={5})
    for ended in (False, True):
        presentation = present(made, replace(FACTS, ended=ended))
        assert has_duration(presentation) == [("p0", False), ("p5", False)]
        assert presentation.service_descriptions == ()
    assert present(made, replace(LOW, ended=True)) == present(made, replace(FACTS, ended=True))


def test_presentation_without_entries_has_no_periods() -> None:
    assert present({}).periods == ()


def test_entries_without_a_pace_have_a_timeline() -> None:
    assert has_duration(present(broadcast(TRACKS, 5, with_runs=False))) == [("p0", False)]
