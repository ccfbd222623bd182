from media.names import FIRST_MSN
from media.units import VIDEO_TIMESCALE as S
from packager.cmaf.cutter import Cut, Cutter, CutterOptions
from tests.unit.packager.recording import frame, frames


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


def test_sparse_keyframes_allow_free_cuts_from_the_second_on() -> None:
    cutter = Cutter(CutterOptions())
    made = cuts(cutter, list(frames(400, gop=250)))
    assert cutter.sparse
    assert [(cut.pts * 3 // S, cut.discontinuity) for cut in made] == [
        (0, False),
        (25, True),
        (31, False),
        (37, False),
    ]


def test_sparse_keyframes_without_free_cuts_make_long_segments() -> None:
    cutter = Cutter(CutterOptions(free_cuts=False))
    made = cuts(cutter, list(frames(501, gop=250)))
    assert [cut.pts for cut in made] == [0, 250 * 3000, 500 * 3000]
    assert not cutter.sparse


def test_segment_without_keyframes_ends_at_the_hard_limit() -> None:
    made = cuts(Cutter(CutterOptions()), list(frames(1000, gop=10_000)))
    assert made == [Cut(1, 0, False), Cut(2, 30 * S, False, independent=False)]


def test_known_sparse_source_has_free_cuts_from_the_start() -> None:
    made = cuts(Cutter(CutterOptions(), sparse=True), list(frames(121, gop=250)))
    assert [cut.pts for cut in made] == [0, 2 * S, 4 * S]


def test_discontinuity_cuts_at_the_next_keyframe_below_the_target_too() -> None:
    cutter = Cutter(CutterOptions())
    cuts(cutter, list(frames(31)))
    cutter.discontinue()
    assert cutter.video(frame(31 * 3000)) is None
    assert cutter.video(frame(32 * 3000, key=True)) == Cut(2, 32 * 3000, True)
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
    assert cutter.video(frame(9 * S, key=True)) == Cut(4, 9 * S, False)


def test_audio_after_a_hole_does_not_cut_before_the_video() -> None:
    cutter = Cutter(CutterOptions())
    cuts(cutter, list(frames(61)))
    for second in (1, 2, 9):
        assert cutter.audio(second * S, alone=False) is None
    cutter.discontinue(9 * S)
    assert cutter.video(frame(9 * S, key=True)) == Cut(3, 9 * S, True)


def test_after_a_hole_any_frame_may_follow_if_no_keyframe_comes() -> None:
    cutter = Cutter(CutterOptions())
    cuts(cutter, list(frames(61)))
    cutter.discontinue(9 * S)
    after = list(frames(200, start=9 * S, gop=10_000))[1:]
    assert cuts(cutter, after) == [Cut(3, 15 * S, True, independent=False)]
    sparse = Cutter(CutterOptions(), sparse=True)
    cuts(sparse, list(frames(61)))
    sparse.discontinue(9 * S)
    assert cuts(sparse, after[:3]) == [Cut(3, after[0].pts, True)]


def test_a_publisher_that_returns_begins_with_a_keyframe() -> None:
    cutter = Cutter(CutterOptions(), sparse=True)
    cuts(cutter, list(frames(61)))
    cutter.discontinue()
    assert cuts(cutter, list(frames(400, start=9 * S, gop=10_000))[1:]) == []
