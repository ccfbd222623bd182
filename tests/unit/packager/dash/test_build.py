from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from media.configs import VideoConfig
from media.units import Codec, Kind
from packager.dash import AdaptationSet, Period, Presentation, PresentationType, SegmentRun, SegmentTemplate
from packager.dash.build import dash_presentation
from packager.facts import BroadcastFacts, Run, SegmentEntry
from tests.unit.packager.broadcasts import (
    A64,
    A128,
    FACTS,
    SEGMENT_TICKS,
    STEREO,
    V480,
    V720,
    ZERO_MS,
    broadcast,
    entries,
)

TRACKS = (V720, V480, A128)
PUBLISHED_MS = ZERO_MS + 100_000


def present(
    entries_by_track: Mapping[str, Sequence[SegmentEntry]],
    facts: BroadcastFacts = FACTS,
    base_url: str | None = None,
) -> Presentation:
    return dash_presentation(facts, entries_by_track, publish_time_ms=PUBLISHED_MS, base_url=base_url)


def window(
    entries_by_track: Mapping[str, Sequence[SegmentEntry]], first: int, last: int
) -> dict[str, list[SegmentEntry]]:
    return {
        track: [entry for entry in made if first <= entry.msn <= last] for track, made in entries_by_track.items()
    }


def templates(period: Period) -> dict[str, SegmentTemplate]:
    """The template of each representation, its own or that of its Adaptation Set."""
    by_representation = {}
    for adaptation_set in period.adaptation_sets:
        for representation in adaptation_set.representations:
            template = representation.segment_template or adaptation_set.segment_template
            assert template is not None
            by_representation[representation.id] = template
    return by_representation


def requests(presentation: Presentation) -> dict[tuple[str, int], Fraction]:
    """The presentation time in seconds of each (representation, number) that a player would request."""
    times = {}
    for period in presentation.periods:
        for track, template in templates(period).items():
            number, at = template.start_number, 0
            for run in template.timeline or ():
                at = at if run.t is None else run.t
                for _ in range(run.repeat + 1):
                    offset = Fraction(at - template.presentation_time_offset, template.timescale)
                    assert (track, number) not in times
                    times[track, number] = Fraction(period.start_ms, 1000) + offset
                    number, at = number + 1, at + run.d
    return times


def sets(period: Period) -> dict[Kind, AdaptationSet]:
    return {adaptation_set.kind: adaptation_set for adaptation_set in period.adaptation_sets}


def test_live_broadcast_is_one_dynamic_period() -> None:
    presentation = present(broadcast(TRACKS, 30))
    assert presentation.type is PresentationType.DYNAMIC
    assert presentation.availability_start_time_ms == ZERO_MS
    assert presentation.publish_time_ms == PUBLISHED_MS
    assert presentation.minimum_update_period_ms == 2000
    assert presentation.time_shift_buffer_depth_ms == 60_000
    assert presentation.suggested_presentation_delay_ms == 6000
    assert presentation.media_presentation_duration_ms is None
    assert [timing.value for timing in presentation.utc_timings] == ["https://headwater.example/api/v1/time"]
    (period,) = presentation.periods
    assert (period.id, period.start_ms, period.duration_ms) == ("p0", 0, None)
    video, audio = period.adaptation_sets
    assert (video.kind, audio.kind) == (Kind.VIDEO, Kind.AUDIO)
    assert [representation.id for representation in video.representations] == ["vsource", "v480p"]
    assert video.segment_template == SegmentTemplate(
        initialization="$RepresentationID$/init-0.mp4",
        media="$RepresentationID$/$Number$.m4s",
        timescale=90_000,
        start_number=0,
        timeline=(SegmentRun(SEGMENT_TICKS, 0, 29),),
    )
    assert video.picture_aspect_ratio == Fraction(16, 9)
    assert audio.segment_template is not None and audio.segment_template.timescale == 48_000
    assert audio.label == "Sound"


def test_representation_describes_its_track() -> None:
    period = present(broadcast(TRACKS, 1)).periods[0]
    video = sets(period)[Kind.VIDEO].representations[1]
    assert (video.bandwidth, video.codecs, video.width, video.height) == (
        1_600_000,
        "avc1.4d401f",
        854,
        480,
    )
    assert (video.frame_rate, video.sample_aspect_ratio) == (Fraction(30_000, 1001), Fraction(1))
    audio = sets(period)[Kind.AUDIO].representations[0]
    assert (audio.codecs, audio.audio_sampling_rate, audio.audio_channels) == ("mp4a.40.2", 48_000, 2)


def test_every_segment_has_its_number_and_presentation_time() -> None:
    made = broadcast(TRACKS, 40, discontinuities={9, 20}, gaps={13}, inits={20}, away_ticks=987_654)
    expected = {
        (track.track, entry.msn): Fraction(entry.start, track.config.timescale)
        for track in TRACKS
        for entry in made[track.track]
        if not entry.gap
    }
    assert requests(present(made)) == expected
    in_window = {key: at for key, at in expected.items() if 11 <= key[1] <= 33}
    assert requests(present(window(made, 11, 33))) == in_window


def test_period_keeps_its_id_and_start_while_the_window_moves() -> None:
    made = broadcast(TRACKS, 40, discontinuities={9}, inits={20}, away_ticks=987_654)
    made["v480p"] = entries(V480, 40, discontinuities={9}, inits={20}, gaps={13, 14}, away_ticks=987_654)
    seen: dict[str, tuple[int, int]] = {}
    for last in range(40):
        for period in present(window(made, last - 5, last)).periods:
            offset = templates(period)["vsource"].presentation_time_offset
            assert seen.setdefault(period.id, (period.start_ms, offset)) == (period.start_ms, offset)
    assert list(seen) == ["p0", "p9", "p13", "p15", "p20"]


def test_windows_that_start_at_different_segments_are_aligned() -> None:
    """Audio segments do not end exactly with the video's, so its window may drop a segment earlier."""
    made = broadcast(TRACKS, 20, discontinuities={8})
    made["a128k"] = made["a128k"][8:]
    made["v480p"] = made["v480p"][7:]
    made["vsource"] = made["vsource"][7:]
    (period,) = present(made).periods
    assert period.id == "p8"
    assert {track: template.start_number for track, template in templates(period).items()} == {
        "vsource": 8,
        "v480p": 8,
        "a128k": 8,
    }


def test_period_starts_once_all_tracks_have_reached_it() -> None:
    """At first, the audio has not completed its first segment after the discontinuity."""
    made = broadcast(TRACKS, 12, discontinuities={10})
    waiting = {**made, "a128k": made["a128k"][:10]}
    assert [period.id for period in present(waiting).periods] == ["p0"]
    assert [period.id for period in present(made).periods] == ["p0", "p10"]


def test_stopped_track_delays_a_period_only_for_max_lag_segments() -> None:
    made = broadcast(TRACKS, 13, discontinuities={10})
    made["v480p"] = made["v480p"][:10]
    assert [period.id for period in present(made).periods] == ["p0", "p10"]
    assert [period.id for period in present(window(made, 0, 11)).periods] == ["p0"]


def test_representation_one_segment_behind_has_its_own_timeline() -> None:
    made = broadcast(TRACKS, 20)
    del made["v480p"][-1]
    (period,) = present(made).periods
    video = sets(period)[Kind.VIDEO]
    assert video.segment_template is None
    assert [r.segment_template.timeline for r in video.representations if r.segment_template] == [
        (SegmentRun(SEGMENT_TICKS, 0, 19),),
        (SegmentRun(SEGMENT_TICKS, 0, 18),),
    ]


def test_discontinuity_starts_a_period_at_its_media_time() -> None:
    presentation = present(broadcast(TRACKS, 12, discontinuities={5}, away_ticks=900_000))
    first, second = presentation.periods
    assert (first.id, second.id) == ("p0", "p5")
    start_ticks = 5 * SEGMENT_TICKS + 900_000
    assert second.start_ms == start_ticks // 90
    assert templates(second)["vsource"].presentation_time_offset == second.start_ms * 90
    assert templates(second)["vsource"].timeline == (SegmentRun(SEGMENT_TICKS, start_ticks, 6),)
    assert templates(second)["vsource"].start_number == 5
    properties = sets(second)[Kind.VIDEO].supplemental_properties
    assert [(p.scheme_id_uri, p.value) for p in properties] == [("urn:mpeg:dash:period-connectivity:2015", "p0")]


def test_period_with_a_new_init_is_not_connected() -> None:
    _, second = present(broadcast(TRACKS, 12, discontinuities={5}, inits={5})).periods
    assert templates(second)["vsource"].initialization == "$RepresentationID$/init-1.mp4"
    assert sets(second)[Kind.VIDEO].supplemental_properties == ()


def test_representation_is_absent_from_the_period_of_its_gap() -> None:
    made = broadcast(TRACKS, 12)
    made["v480p"] = entries(V480, 12, gaps={5, 6})
    periods = present(made).periods
    assert [period.id for period in periods] == ["p0", "p5", "p7"]
    assert [list(templates(period)) for period in periods] == [
        ["vsource", "v480p", "a128k"],
        ["vsource", "a128k"],
        ["vsource", "v480p", "a128k"],
    ]
    assert templates(periods[2])["v480p"].start_number == 7
    properties = sets(periods[1])[Kind.VIDEO].supplemental_properties
    assert [(p.scheme_id_uri, p.value) for p in properties] == [("urn:mpeg:dash:period-continuity:2015", "p0")]


def test_gap_on_all_tracks_has_no_period() -> None:
    periods = present(broadcast(TRACKS, 12, gaps={5, 6})).periods
    assert [period.id for period in periods] == ["p0", "p7"]


def test_broadcast_with_audio_has_audio_in_every_period() -> None:
    """dash.js and shaka-player stop, or stay silent, at a Period without audio or without video."""
    made = broadcast(TRACKS, 12)
    late = made["a128k"][3:]
    made["a128k"] = [replace(entry, run=Run(3, 6006)) for entry in late]
    assert [(period.id, period.start_ms) for period in present(made).periods] == [("p3", 6006)]
    with_gap = broadcast(TRACKS, 12)
    with_gap["a128k"] = entries(A128, 12, gaps={5, 6})
    assert [period.id for period in present(with_gap).periods] == ["p0", "p7"]


def test_broadcast_without_audio_has_video_only_periods() -> None:
    made = broadcast(TRACKS, 12)
    del made["a128k"]
    assert [period.id for period in present(made).periods] == ["p0"]


def test_entries_without_runs_start_periods_at_discontinuities() -> None:
    made = broadcast(TRACKS, 12, discontinuities={5}, with_runs=False)
    assert [(period.id, period.start_ms) for period in present(made).periods] == [("p0", 0), ("p5", 10_010)]


def test_ended_broadcast_is_static_and_has_a_duration() -> None:
    made = broadcast(TRACKS, 12)
    presentation = present(made, replace(FACTS, ended=True), base_url="20261121t104105z-ab12cd/")
    assert presentation.type is PresentationType.STATIC
    assert presentation.base_url == "20261121t104105z-ab12cd/"
    ends = [Fraction(made[t.track][-1].start + made[t.track][-1].duration, t.config.timescale) for t in TRACKS]
    assert presentation.media_presentation_duration_ms is not None
    assert 0 <= presentation.media_presentation_duration_ms - max(ends) * 1000 < 1
    live_only = (
        presentation.availability_start_time_ms,
        presentation.minimum_update_period_ms,
        presentation.time_shift_buffer_depth_ms,
        presentation.suggested_presentation_delay_ms,
    )
    assert live_only == (None,) * 4
    assert presentation.utc_timings == ()


def test_static_presentation_starts_with_its_first_segment() -> None:
    """The first segments are not stored any more. A player that starts at 0 must not wait for them."""
    made = broadcast(TRACKS, 40)
    presentation = present(window(made, 20, 39), replace(FACTS, ended=True))
    (period,) = presentation.periods
    assert (period.id, period.start_ms) == ("p0", 40_040)
    assert requests(presentation)["vsource", 20] == Fraction(20 * SEGMENT_TICKS, 90_000)


def test_equal_kinds_of_audio_share_an_adaptation_set() -> None:
    speech = replace(A64, config=replace(STEREO, channels=1), track="a48k")
    facts = replace(FACTS, tracks=(A128, A64, speech, V720))
    made = broadcast(facts.tracks, 5)
    period = present(made, facts).periods[0]
    assert [[r.id for r in s.representations] for s in period.adaptation_sets] == [
        ["vsource"],
        ["a128k", "a64k"],
        ["a48k"],
    ]
    assert [s.id for s in period.adaptation_sets] == [0, 1, 3]
    assert [s.roles[0].value for s in period.adaptation_sets] == ["main", "main", "alternate"]


def test_adaptation_set_has_the_same_id_in_every_period() -> None:
    speech = replace(A128, track="a48k", config=replace(STEREO, channels=1))
    facts = replace(FACTS, tracks=(V720, speech, A128))
    made = broadcast(facts.tracks, 10)
    made["a48k"] = entries(speech, 10, gaps={0, 1})
    ids = [[s.id for s in period.adaptation_sets] for period in present(made, facts).periods]
    assert ids == [[0, 2], [0, 1, 2]]


def test_period_describes_its_own_init() -> None:
    """The source's size changes at segment 5; the Period before keeps the old size."""
    before = VideoConfig(Codec.H264, b"", "avc1.42c01e", 640, 360)
    track = replace(V720, configs={0: before})
    facts = replace(FACTS, tracks=(track,))
    first, second = present(broadcast((track,), 10, discontinuities={5}, inits={5}), facts).periods
    assert [p.adaptation_sets[0].representations[0].width for p in (first, second)] == [640, 1280]


def test_segment_without_a_keyframe_removes_start_with_sap() -> None:
    made = broadcast(TRACKS, 5)
    made["v480p"][2] = replace(made["v480p"][2], independent=False)
    by_kind = sets(present(made).periods[0])
    assert (by_kind[Kind.VIDEO].starts_with_sap, by_kind[Kind.AUDIO].starts_with_sap) == (None, 1)


def test_minimum_update_period_is_the_newest_segment_duration() -> None:
    """One segment of six seconds does not delay all later updates to six seconds."""
    presentation = present(broadcast(TRACKS, 5), replace(FACTS, segment_target_ms=6000))
    assert presentation.minimum_update_period_ms == 2002
    assert presentation.max_segment_duration_ms == 6000


@pytest.mark.parametrize("ended", [False, True])
def test_presentation_without_entries_has_no_periods(ended: bool) -> None:
    presentation = present({}, replace(FACTS, ended=ended))
    assert presentation.periods == ()


def test_unmeasured_track_has_bandwidth_1() -> None:
    facts = replace(FACTS, tracks=(replace(V720, peak_bps=0),))
    assert present(broadcast((V720,), 1), facts).periods[0].adaptation_sets[0].representations[0].bandwidth == 1
