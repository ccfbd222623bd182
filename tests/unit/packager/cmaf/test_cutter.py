from itertools import pairwise

import pytest

from media.names import FIRST_MSN
from media.units import VIDEO_TIMESCALE as S
from packager.cmaf.cut import Cut
from packager.cmaf.cutter import Cutter, CutterOptions, longest_segment
from tests.unit.packager.recording import frame, frames

# How long a segment of the target duration may be.
LONGEST = longest_segment(2 * S)


def cuts(cutter: Cutter, units: object) -> list[Cut]:
    assert isinstance(units, list)
    return [cut for unit in units if (cut := cutter.video(unit)) is not None]


def test_cuts_on_keyframes_at_the_target() -> None:
    made = cuts(Cutter(CutterOptions()), list(frames(181)))
    assert [(cut.msn, cut.pts, cut.discontinuity) for cut in made] == [
        (1, 0, False),
        (2, 2 * S, False),
        (3, 4 * S, False),
        (4, 6 * S, False),
    ]


def test_broadcast_starts_with_first_msn_which_is_not_0() -> None:
    """hls.js reloads the last part of a segment with number 0 in an endless loop."""
    assert [cut.msn for cut in cuts(Cutter(CutterOptions()), list(frames(121)))] == [
        FIRST_MSN,
        FIRST_MSN + 1,
        FIRST_MSN + 2,
    ]
    alone = Cutter(CutterOptions()).audio(0, alone=True)
    assert alone is not None and alone.msn == FIRST_MSN
    assert FIRST_MSN > 0


def test_keyframes_each_second_cut_at_every_second_one() -> None:
    assert [cut.pts for cut in cuts(Cutter(CutterOptions()), list(frames(151, gop=30)))] == [0, 2 * S, 4 * S]


def test_keyframes_slightly_before_the_target_cut() -> None:
    units = [frame(i * 3600, key=i % 48 == 0) for i in range(97)]
    assert [cut.pts for cut in cuts(Cutter(CutterOptions()), units)] == [0, 48 * 3600, 96 * 3600]


def test_no_cut_before_the_first_keyframe() -> None:
    cutter = Cutter(CutterOptions())
    assert cutter.video(frame(0)) is None
    assert not cutter.started
    assert cutter.video(frame(3000, key=True)) == Cut(1, 3000, False)


def test_cuts_fall_on_presentation_times() -> None:
    assert [cut.pts for cut in cuts(Cutter(CutterOptions()), list(frames(61, cts=6000)))] == [6000, 2 * S + 6000]


@pytest.mark.parametrize("gop", [250, 10_000])
def test_without_a_keyframe_for_too_long_any_frame_is_cut_on(gop: int) -> None:
    """Also if no second keyframe ever comes."""
    cutter = Cutter(CutterOptions())
    made = cuts(cutter, list(frames(400, gop=gop)))
    assert cutter.sparse
    assert [(cut.pts / S, cut.discontinuity, cut.independent) for cut in made] == [
        (0, False, True),
        (pytest.approx(6, abs=0.04), True, True),
        (pytest.approx(8, abs=0.04), False, True),
        (pytest.approx(10, abs=0.04), False, True),
        (pytest.approx(12, abs=0.04), False, True),
    ]


def test_no_frame_is_lost_between_a_passed_source_and_its_encoded_rendition() -> None:
    """Frames that are decoded after the cut's frame and presented before it belong to the new segment."""
    cutter = Cutter(CutterOptions())
    # In decoding order, each P frame precedes the three B frames that are presented before it.
    order = [0] + [group * 4 + place for group in range(60) for place in (4, 1, 2, 3)]
    units = [
        frame(number * 3000, key=number == 0, cts=(shown - number + 2) * 3000) for number, shown in enumerate(order)
    ]
    passed = []
    for unit in units:
        cut = cutter.video(unit)
        if cutter.sparse:
            break
        passed.append(unit.pts)
    assert cut is not None and unit.pts > cut.pts
    assert max(passed) < cut.pts <= max(passed) + 3000
    assert all(later.pts >= cut.pts for later in units[len(passed) :])


def test_keyframes_less_than_the_limit_apart_are_enough() -> None:
    """Even if the cuts are further apart, because a keyframe came too early to cut on."""
    cutter = Cutter(CutterOptions())
    units = [frame(i * 3000, key=i in (0, 30, 205)) for i in range(210)]
    assert [cut.pts for cut in cuts(cutter, units)] == [0, 205 * 3000]
    assert not cutter.sparse


def test_sound_begins_alone_if_no_keyframe_comes() -> None:
    """Video frames arrive, but the first keyframe only after 14 s; it starts a discontinuity on both tracks."""
    cutter = Cutter(CutterOptions())
    made = []
    for second in range(0, 20):
        for third in range(3):
            at = second * S + third * S // 3
            made.append(cutter.audio(at, alone=False))
            made.append(cutter.video(frame(at, key=second >= 14 and second % 2 == 0 and third == 1)))
            if made[-1] is not None:
                assert cutter.sound_alone == (second < 14)
    assert [(cut.msn, cut.pts * 3 // S, cut.discontinuity) for cut in made if cut] == [
        (1, 9, False),
        (2, 15, False),
        (3, 21, False),
        (4, 27, False),
        (5, 33, False),
        (6, 39, False),
        (7, 43, True),
        (8, 49, False),
        (9, 55, False),
    ]


def test_sound_begins_alone_if_no_video_arrives() -> None:
    cutter = Cutter(CutterOptions())
    made = [cutter.audio(second * S, alone=False) for second in range(9)]
    assert [cut.pts // S for cut in made if cut] == [3, 5, 7]
    assert cutter.video(frame(9 * S, key=True)) == Cut(4, 9 * S, True, before_ends=7 * S + LONGEST)


def test_a_keyframe_within_three_seconds_begins_both_tracks() -> None:
    cutter = Cutter(CutterOptions())
    for place in range(29):
        assert cutter.audio(place * S // 10, alone=False) is None
        assert cutter.video(frame(place * S // 10)) is None
    assert cutter.video(frame(29 * S // 10, key=True)) == Cut(1, 29 * S // 10, False)
    assert not cutter.sound_alone


def test_the_sound_of_a_publisher_that_returns_without_a_keyframe_begins_alone() -> None:
    cutter = Cutter(CutterOptions())
    cuts(cutter, list(frames(61)))
    cutter.discontinue()
    made = [cutter.audio(10 * S + place * S, alone=False) for place in range(6)]
    assert [(cut.pts // S, cut.discontinuity) for cut in made if cut] == [(13, True), (15, False)]
    assert cutter.video(frame(16 * S, key=True)) == Cut(
        5, 16 * S, True, discontinuities=1, before_ends=15 * S + LONGEST
    )


def test_sparse_keyframes_without_free_cuts_make_long_segments() -> None:
    cutter = Cutter(CutterOptions(free_cuts=False))
    made = cuts(cutter, list(frames(501, gop=250)))
    assert [cut.pts for cut in made] == [0, 250 * 3000, 500 * 3000]
    assert not cutter.sparse


def test_segment_without_keyframes_ends_at_the_hard_limit() -> None:
    made = cuts(Cutter(CutterOptions(free_cuts=False)), list(frames(1000, gop=10_000)))
    assert made == [Cut(1, 0, False), Cut(2, 30 * S, False, independent=False)]


def test_known_sparse_source_has_free_cuts_from_the_start() -> None:
    made = cuts(Cutter(CutterOptions(), sparse=True), list(frames(121, gop=250)))
    assert [cut.pts for cut in made] == [0, 2 * S, 4 * S]


def test_discontinuity_cuts_at_the_next_keyframe_below_the_target_too() -> None:
    cutter = Cutter(CutterOptions())
    cuts(cutter, list(frames(31)))
    cutter.discontinue()
    assert cutter.video(frame(31 * 3000)) is None
    assert cutter.video(frame(32 * 3000, key=True)) == Cut(2, 32 * 3000, True, before_ends=LONGEST)
    assert cutter.video(frame(92 * 3000, key=True)) == Cut(3, 92 * 3000, False, discontinuities=1)


def test_broadcast_does_not_start_with_a_discontinuity() -> None:
    cutter = Cutter(CutterOptions())
    cutter.discontinue()
    assert cutter.video(frame(0, key=True)) == Cut(1, 0, False)


def test_audio_only_broadcast_is_cut_at_the_target() -> None:
    cutter = Cutter(CutterOptions())
    made = [cut for i in range(200) if (cut := cutter.audio(i * 1920, alone=True))]
    assert [cut.pts for cut in made] == [0, 94 * 1920, 188 * 1920]


def test_audio_cuts_while_the_video_is_stalled() -> None:
    cutter = Cutter(CutterOptions())
    cuts(cutter, list(frames(61)))
    for second in (3, 4, 5):
        assert cutter.audio(second * S, alone=False) is None
    assert cutter.audio(6 * S, alone=False) == Cut(3, 6 * S, False)
    assert cutter.audio(7 * S, alone=False) is None
    assert cutter.video(frame(8 * S)) is None
    assert cutter.video(frame(8 * S + S // 4, key=True)) == Cut(4, 8 * S + S // 4, False)


def test_audio_after_a_hole_does_not_cut_before_the_video() -> None:
    cutter = Cutter(CutterOptions())
    cuts(cutter, list(frames(61)))
    for second in (1, 2, 9):
        assert cutter.audio(second * S, alone=False) is None
    cutter.discontinue(9 * S)
    assert cutter.video(frame(9 * S, key=True)) == Cut(3, 9 * S, True, before_ends=2 * S + LONGEST)


def test_after_a_hole_any_frame_may_follow_if_no_keyframe_comes() -> None:
    cutter = Cutter(CutterOptions(free_cuts=False))
    cuts(cutter, list(frames(61)))
    cutter.discontinue(9 * S)
    after = list(frames(200, start=9 * S, gop=10_000))[1:]
    assert cuts(cutter, after) == [Cut(3, 15 * S, True, independent=False, before_ends=2 * S + LONGEST)]
    encoded = Cutter(CutterOptions())
    cuts(encoded, list(frames(61)))
    encoded.discontinue(9 * S)
    assert cuts(encoded, after) == [Cut(3, 15 * S, True, before_ends=2 * S + LONGEST)]
    assert encoded.sparse
    sparse = Cutter(CutterOptions(), sparse=True)
    cuts(sparse, list(frames(61)))
    sparse.discontinue(9 * S)
    assert cuts(sparse, after[:3]) == [Cut(3, after[0].pts, True, before_ends=2 * S + LONGEST)]


def test_a_publisher_that_returns_begins_with_a_keyframe() -> None:
    cutter = Cutter(CutterOptions(), sparse=True)
    cuts(cutter, list(frames(61)))
    cutter.discontinue()
    assert cuts(cutter, list(frames(400, start=9 * S, gop=10_000))[1:]) == []


def test_video_never_begins_where_segments_of_audio_alone_have_passed() -> None:
    cutter = Cutter(CutterOptions())
    made = [cut for i in range(150) if (cut := cutter.audio(i * 1920, alone=True))]
    assert [cut.pts for cut in made] == [0, 180_480]
    cutter.discontinue()
    begun = cuts(cutter, list(frames(181, gop=30)))
    assert [(cut.pts, cut.discontinuity) for cut in begun] == [(4 * S, True), (6 * S, False)]


def test_segments_never_become_longer_than_the_first_one_allows() -> None:
    """EXT-X-TARGETDURATION must not change (rfc8216bis, 6.2.1): keyframes every 2 s, then every 6 s."""
    units = [frame(i * 3000, key=(i < 181 and i % 60 == 0) or i % 180 == 0) for i in range(900)]
    made = cuts(Cutter(CutterOptions(free_cuts=False)), units)
    assert max(later.pts - cut.pts for cut, later in pairwise(made)) <= longest_segment(2 * S)
    assert not all(cut.independent for cut in made)
    assert not any(cut.discontinuity for cut in made)
    # Every keyframe still begins a segment.
    keys = {unit.pts for unit in units if unit.key}
    assert keys <= {cut.pts for cut in made if cut.independent}


def test_a_first_segment_may_be_long_and_the_next_as_long() -> None:
    made = cuts(Cutter(CutterOptions(free_cuts=False)), list(frames(900, gop=150)))
    assert [(cut.pts, cut.independent) for cut in made] == [(5 * n * S, True) for n in range(6)]


@pytest.mark.parametrize("gop", [60, 70, 73, 74, 75, 80])
def test_a_regular_source_is_cut_at_keyframes_only(gop: int) -> None:
    made = cuts(Cutter(CutterOptions(free_cuts=False)), list(frames(1000, gop=gop)))
    assert all(cut.independent for cut in made)


def test_a_hole_does_not_make_a_segment_longer() -> None:
    """The timestamps of both tracks jump by 700 ms. The segment ends within the hole."""
    units = [frame(i * 3000 + (i >= 110) * 63_000, key=i % 60 == 0) for i in range(300)]
    made = cuts(Cutter(CutterOptions(free_cuts=False)), units)
    lengths = [later.pts - cut.pts for cut, later in pairwise(made)]
    assert max(lengths) <= longest_segment(2 * S)
    # Keyframes begin segments again soon.
    assert [cut.independent for cut in made][-2:] == [True, True]


def test_the_offset_of_a_single_frame_ends_no_segment() -> None:
    units = [frame(i * 3000, key=i % 60 == 0, cts=3 * S if i % 10 == 5 else 0) for i in range(300)]
    made = cuts(Cutter(CutterOptions(free_cuts=False)), units)
    assert [cut.pts for cut in made] == [2 * n * S for n in range(5)]


def test_a_hole_of_sound_alone_is_followed_by_a_whole_segment() -> None:
    cutter = Cutter(CutterOptions())
    assert not cutter.follows_hole(0)
    cuts_made = [cut for pts in (0, S, 2 * S, 3 * S, 4 * S - 1) if (cut := cutter.audio(pts, alone=True))]
    assert [cut.pts for cut in cuts_made] == [0, 2 * S]
    assert cutter.follows_hole(6 * S)
    # A shorter hole ends the segment within it.
    cut = cutter.audio(4 * S + S * 9 // 10, alone=True)
    assert cut is not None and cut.pts - 2 * S == longest_segment(2 * S)


def test_the_target_is_decided_before_a_discontinuity_too() -> None:
    """The first segment ends with a hole: it was one second long."""
    cutter = Cutter(CutterOptions(free_cuts=False))
    assert cutter.video(frame(0, key=True)) is not None
    assert cutter.video(frame(S)) is None
    cutter.discontinue(9 * S)
    made = cuts(cutter, list(frames(300, start=9 * S, gop=150)))
    assert max(later.pts - cut.pts for cut, later in pairwise(made)) <= longest_segment(2 * S)
