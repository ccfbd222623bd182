"""The worker's video path with real codecs: one decode, aligned IDRs, exact times, and unchanged pictures."""

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest

from media.codecs.h264.nal_units import NAL_PPS, NAL_SPS, nal_units
from media.configs import Colour
from media.units import AccessUnit, Codec
from tests.unit.transcoder.running import Result, run, rung
from tests.unit.transcoder.sources import VideoSource, brightness, decoded_video, shade, video
from transcoder.errors import DecoderUnavailable, EncoderUnavailable, ProtocolViolation
from transcoder.ladder import Rendition, plan_ladder
from transcoder.messages import Job, Message, Stopped
from transcoder.options import LatencyMode, Preset, TranscodeOptions
from transcoder.worker.session import TranscodeSession

FAST = TranscodeOptions(preset=Preset.ULTRAFAST)
NORMAL = TranscodeOptions(preset=Preset.VERYFAST, latency=LatencyMode.NORMAL, threads=2)
RUNGS = (rung("v180p", 240, 180), rung("v120p", 160, 120), rung("v96p", 128, 96))


def job(source: VideoSource, rungs: tuple[Rendition, ...] = RUNGS, options: TranscodeOptions = FAST) -> Job:
    return Job(source.config, rungs, options=options)


def with_parameter_sets(source: VideoSource) -> list[AccessUnit]:
    """The units with SPS and PPS before the first, as sent by encoders that repeat their headers."""
    record = source.config.record
    sps_size = int.from_bytes(record[6:8], "big")
    sps, rest = record[8 : 8 + sps_size], record[8 + sps_size + 1 :]
    pps = rest[2 : 2 + int.from_bytes(rest[:2], "big")]
    headers = b"".join(len(nal_unit).to_bytes(4, "big") + nal_unit for nal_unit in (sps, pps))
    first, *others = source.units
    return [first._replace(payload=headers + first.payload), *others]


def assert_shows(result: Result, track: str, source_times: list[int]) -> None:
    """Every picture equals the source's picture at the same time."""
    frames = decoded_video(result.video(track), result.units[track])
    assert [frame.pts for frame in frames] == result.times(track)
    for frame in frames:
        assert frame.pts is not None
        assert brightness(frame) == pytest.approx(shade(source_times.index(frame.pts)), abs=4)


@pytest.mark.parametrize("options", [FAST, NORMAL], ids=["low", "normal"])
@pytest.mark.parametrize("start", [0, 2**33 + 17])
def test_idrs_are_exactly_at_cuts_in_every_rung(options: TranscodeOptions, start: int) -> None:
    source = video(frames=40, keyframe_every=5, start=start)
    times = sorted(unit.pts for unit in source.units)
    cuts = [times[0], times[10], times[25], times[33]]
    result = run(job(source, options=options), source.units, lambda unit: unit.pts in cuts)
    for track in ("v180p", "v120p", "v96p"):
        assert result.idr_times(track) == cuts
        assert result.times(track) == times
        assert_shows(result, track, times)
    assert result.progress.decoded == 40
    assert result.progress.encoded == 120
    assert result.progress.errors == 0


def test_low_latency_has_no_reordering() -> None:
    source = video(frames=20)
    result = run(job(source), source.units)
    assert all(unit.cts == 0 for unit in result.units["v180p"])


def test_normal_latency_reorders_and_keeps_decoding_order() -> None:
    source = video(frames=40)
    result = run(job(source, options=NORMAL), source.units, lambda unit: unit.key)
    units = result.units["v180p"]
    assert any(unit.cts != 0 for unit in units)
    assert all(unit.cts >= 0 for unit in units)
    assert all(a.dts < b.dts for a, b in itertools.pairwise(units))
    # A closed GOP: nothing before an IDR is shown after it.
    for index, unit in enumerate(units):
        if unit.key:
            assert all(earlier.pts < unit.pts for earlier in units[:index])


def test_a_source_with_b_frames_comes_out_in_presentation_order() -> None:
    source = video(frames=30, b_frames=3)
    assert any(unit.cts != source.units[0].cts for unit in source.units)
    times = sorted(unit.pts for unit in source.units)
    result = run(job(source), source.units, lambda unit: unit.key)
    assert result.idr_times("v96p") == [unit.pts for unit in source.units if unit.key]
    assert [unit.dts for unit in result.units["v96p"]] == times
    assert_shows(result, "v96p", times)


def test_half_the_frames_restart_at_each_cut() -> None:
    source = video(frames=40, fps=Fraction(60), keyframe_every=15)
    times = [unit.pts for unit in source.units]
    rungs = (rung("vsource", 320, 240), rung("v120p", 160, 120, divisor=2))
    result = run(job(source, rungs), source.units, lambda unit: unit.key)
    assert result.times("vsource") == times
    kept = [times[n] for n in (*range(0, 15, 2), *range(15, 30, 2), *range(30, 40, 2))]
    assert result.times("v120p") == kept
    assert result.idr_times("vsource") == result.idr_times("v120p") == [times[n] for n in (0, 15, 30)]
    assert result.video("vsource").frame_rate == 60
    assert result.video("v120p").frame_rate == 30
    assert_shows(result, "v120p", times)


def test_a_rung_above_may_have_the_lower_frame_rate() -> None:
    source = video(frames=12, fps=Fraction(90))
    result = run(job(source, (rung("a", 160, 120, divisor=3), rung("b", 128, 96))), source.units)
    assert (len(result.units["a"]), len(result.units["b"])) == (4, 12)


@pytest.mark.parametrize(
    ("width", "height", "sar"),
    [(608, 1080, Fraction(1)), (854, 482, Fraction(1)), (720, 576, Fraction(64, 45))],
)
def test_renditions_have_the_planned_sizes(width: int, height: int, sar: Fraction) -> None:
    source = video(width=width, height=height, frames=3, sample_aspect_ratio=sar)
    rungs = plan_ladder(source.config, Fraction(30), "auto", encode_top=True)
    result = run(job(source, rungs), source.units)
    for each in rungs:
        config = result.video(each.track)
        assert (config.width, config.height) == (each.width, each.height)
        frames = decoded_video(config, result.units[each.track])
        assert {(frame.width, frame.height) for frame in frames} == {(each.width, each.height)}
    assert result.video("vsource").sample_aspect_ratio == sar
    assert result.video(rungs[-1].track).sample_aspect_ratio == 1


def test_interlaced_becomes_progressive() -> None:
    source = video(width=320, height=256, frames=20, fps=Fraction(25), x264_params="interlaced=1:tff=1")
    assert source.config.interlaced
    assert any(frame.interlaced_frame for frame in decoded_video(source.config, source.units))
    result = run(job(source), source.units, lambda unit: unit.key)
    assert result.times("v180p") == sorted(unit.pts for unit in source.units)
    assert result.idr_times("v180p") == [unit.pts for unit in source.units if unit.key]
    assert not result.video("v180p").interlaced
    frames = decoded_video(result.video("v180p"), result.units["v180p"])
    assert not any(frame.interlaced_frame for frame in frames)


def test_interlaced_pictures_in_a_stream_marked_progressive_are_deinterlaced() -> None:
    source = video(width=320, height=256, frames=10, x264_params="interlaced=1:bff=1")
    marked_progressive = replace(source, config=replace(source.config, interlaced=False))
    result = run(job(marked_progressive), marked_progressive.units)
    assert len(result.units["v180p"]) == 10
    frames = decoded_video(result.video("v180p"), result.units["v180p"])
    assert not any(frame.interlaced_frame for frame in frames)


@pytest.mark.parametrize(
    "colour",
    [
        Colour(primaries=1, transfer=1, matrix=1, full_range=False),
        Colour(primaries=6, transfer=6, matrix=6, full_range=True),
        Colour(primaries=9, transfer=16, matrix=9, full_range=False),
    ],
    ids=["bt709", "bt601-full", "pq"],
)
def test_colour_is_kept(colour: Colour) -> None:
    source = video(frames=8, colour=colour)
    assert source.config.colour == colour
    result = run(job(source), source.units)
    for track in ("v180p", "v96p"):
        assert result.video(track).colour == colour
    assert_shows(result, "v96p", [unit.pts for unit in source.units])


def test_untagged_hd_is_tagged_bt709_and_untagged_sd_stays_untagged() -> None:
    hd = video(width=1280, height=720, frames=2)
    assert hd.config.colour is None
    assert run(job(hd), hd.units).video("v96p").colour == Colour(1, 1, 1, False)
    sd = video(frames=2)
    assert run(job(sd), sd.units).video("v96p").colour is None


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p", "yuv444p", "yuvj420p"])
def test_any_sampling_becomes_8_bit_420(pixel_format: str) -> None:
    colour = Colour(1, 1, 1, full_range=pixel_format == "yuvj420p")
    source = video(frames=6, pixel_format=pixel_format, colour=colour)
    result = run(job(source), source.units)
    assert result.video("v180p").codec_string.startswith("avc1.42"), "ultrafast is constrained baseline"
    assert result.video("v180p").colour == colour
    assert_shows(result, "v180p", [unit.pts for unit in source.units])


def test_garbage_is_counted_and_skipped() -> None:
    source = video(frames=30)
    damaged = list(source.units)
    damaged[4] = damaged[4]._replace(payload=b"\xff" * 400)
    damaged[13] = damaged[13]._replace(payload=damaged[13].payload[:40] + b"\xa5" * 200)
    damaged[17] = damaged[17]._replace(payload=b"")
    result = run(job(source), damaged, lambda unit: unit.key)
    assert result.progress.errors >= 1
    assert result.idr_times("v180p") == [unit.pts for unit in source.units if unit.key]
    assert set(result.times("v180p")) >= {unit.pts for unit in source.units[20:]}


def test_a_cut_whose_frame_is_lost_takes_the_next() -> None:
    source = video(frames=30)
    lost = source.units[10]
    damaged = [unit._replace(payload=b"") if unit is lost else unit for unit in source.units]
    result = run(job(source), damaged, lambda unit: unit.pts in (0, lost.pts))
    assert len(result.idr_times("v180p")) == 2
    assert result.idr_times("v180p")[1] > lost.pts
    assert result.idr_times("v180p") == result.idr_times("v96p")


def test_units_with_decreasing_times_are_dropped() -> None:
    source = video(frames=20, keyframe_every=1)
    units = [*source.units[:10], *source.units[5:]]
    result = run(job(source), units)
    assert result.times("v96p") == [unit.pts for unit in source.units]


def test_a_changed_picture_size_is_scaled_to_the_same_rungs() -> None:
    source = video(frames=10)
    bigger = video(width=640, height=368, frames=10, start=source.units[-1].pts + 3000)
    result = run(job(source), [*source.units, *with_parameter_sets(bigger)])
    assert result.times("v96p") == [unit.pts for unit in (*source.units, *bigger.units)]
    frames = decoded_video(result.video("v96p"), result.units["v96p"])
    assert {(frame.width, frame.height) for frame in frames} == {(128, 96)}


def test_an_encoder_that_cannot_be_opened_is_a_declared_error() -> None:
    source = video(frames=1)
    with pytest.raises(EncoderUnavailable, match="libx264"):
        run(job(source, (rung("v", 20_000, 20_000),)), source.units)


def test_units_contain_no_start_codes_or_parameter_sets() -> None:
    source = video(frames=12)
    result = run(job(source), source.units, lambda unit: unit.key)
    for unit in result.units["v180p"]:
        types = {nal_unit[0] & 0x1F for nal_unit in nal_units(unit.payload)}
        assert not types & {NAL_SPS, NAL_PPS}


def test_a_track_that_is_not_in_the_job_is_a_violation() -> None:
    source = video(frames=1)
    with pytest.raises(ProtocolViolation, match="video track 1"):
        run(job(source), [source.units[0]._replace(track=1)])


def test_a_codec_without_a_decoder_is_refused() -> None:
    source = video(frames=1)
    with pytest.raises(DecoderUnavailable, match="wisp cannot be decoded"):
        run(job(replace(source, config=replace(source.config, codec=Codec("wisp")))), source.units)


@pytest.mark.parametrize("options", [FAST, NORMAL], ids=["low", "normal"])
def test_a_job_that_begins_between_keyframes_decodes_from_the_last_one(options: TranscodeOptions) -> None:
    """Frames before the first cut are decoded only, and nothing of them is encoded."""
    source = video(frames=40, keyframe_every=40)
    times = sorted(unit.pts for unit in source.units)
    result = Result()
    session = TranscodeSession(
        job(source, options=options), result.receive, lambda code, text: result.failures.append(code)
    )
    session.cut(times[25])
    for unit in source.units:
        session.feed(unit)
    session.finish()
    for track in ("v180p", "v120p", "v96p"):
        assert result.times(track) == times[25:]
        assert result.idr_times(track) == [times[25]]
        assert_shows(result, track, times)
    assert result.failures == []


def select_at(
    source: VideoSource, selections: dict[int, frozenset[str]], *, off: frozenset[str] = frozenset()
) -> tuple[Result, list[str]]:
    """Encode with a keyframe and a cut every ten units. Each selection is made before the unit with its number."""
    result, stopped = Result(), []

    def receive(message: Message) -> None:
        result.receive(message)
        if isinstance(message, Stopped):
            stopped.append(message.track)

    session = TranscodeSession(
        replace(job(source), off=off), receive, lambda code, text: result.failures.append(text)
    )
    for number, unit in enumerate(source.units):
        if number in selections:
            session.select(selections[number])
        if unit.key:
            session.cut(unit.pts)
        session.feed(unit)
    session.finish()
    assert result.failures == []
    assert result.progress.taken == len(source.units)
    return result, stopped


def test_a_rung_that_is_not_selected_ends_at_the_next_cut_and_the_others_go_on() -> None:
    source = video(frames=40, keyframe_every=10)
    times = [unit.pts for unit in source.units]
    result, stopped = select_at(source, {13: frozenset({"v120p", "v96p"})})
    assert result.times("v180p") == times[:20]
    assert result.times("v120p") == result.times("v96p") == times
    assert result.idr_times("v120p") == times[::10]
    assert stopped == ["v180p"]
    assert_shows(result, "v96p", times)


def test_a_rung_that_is_selected_again_begins_with_an_idr_at_the_next_cut() -> None:
    source = video(frames=40, keyframe_every=10)
    times = [unit.pts for unit in source.units]
    every = frozenset({"v180p", "v120p", "v96p"})
    result, stopped = select_at(source, {3: every - {"v120p"}, 25: every})
    assert result.times("v120p") == times[:10] + times[30:]
    assert result.idr_times("v120p") == [times[0], times[30]]
    assert result.times("v180p") == result.times("v96p") == times
    assert stopped == ["v120p"]


def test_without_a_selected_rung_video_is_not_decoded() -> None:
    source = video(frames=50, keyframe_every=10)
    times = [unit.pts for unit in source.units]
    result, _ = select_at(source, {3: frozenset(), 34: frozenset({"v96p"})})
    assert result.times("v96p") == times[:10] + times[40:]
    assert result.times("v180p") == times[:10]
    assert result.progress.decoded < 25
    assert_shows(result, "v96p", times)


def test_a_rung_that_is_off_has_no_encoder_until_it_is_selected() -> None:
    source = video(frames=20, keyframe_every=10)
    times = [unit.pts for unit in source.units]
    result, stopped = select_at(source, {5: frozenset({"v180p", "v96p"})}, off=frozenset({"v180p", "v120p"}))
    assert result.times("v180p") == times[10:]
    assert result.times("v96p") == times
    assert "v120p" not in result.configs
    assert stopped == []
