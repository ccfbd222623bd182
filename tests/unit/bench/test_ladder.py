import math
from contextlib import ExitStack
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from bench.ladder.__main__ import BENCHMARK, cases
from bench.ladder.candidates import CANDIDATES, FFMPEG, HEADWATER, ffmpeg_command
from bench.ladder.case import FPS, Case
from bench.ladder.measure import Measured, check_covers
from bench.ladder.quality import Quality, at_bitrate, decibels, scores
from bench.ladder.recording import Recording, Span, join, origin, read
from bench.runner.benchmark import Group, Run
from tests.lab.errors import LabError
from tests.lab.processes import Cpu
from tests.unit.bench.sections import groups, of_groups
from transcoder.options import LatencyMode, Preset

LOG = """\
[Parsed_ssim_9 @ 0x5] SSIM Y:0.971 (15.4) U:0.983 (17.7) V:0.984 (18.1) All:0.975470 (16.103)
[Parsed_xpsnr_10 @ 0x5] XPSNR  y: 35.0940  u: 40.1  v: 41.2  (minimum: 35.0940)
"""


def pictures(path: Path, places: list[int]) -> Path:
    """A file with grey pictures at the times ``places``, in thirtieths of a second, rounded to milliseconds."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for place in places:
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts, frame.time_base = round(place * 1000 / FPS), Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def measured(cpu: float, quality: float) -> Measured:
    good = {"v480p": Quality(1000.0, quality, 35.0)}
    return Measured(10.0, Cpu(cpu - 0.5, 0.5), Cpu(1.0, 0.0), good, {"v480p": Quality(900.0, 0.96, 34.0)})


def compared(own: tuple[float, ...], theirs: tuple[float, ...], ssim: float = 0.97) -> tuple[Group, ...]:
    turns = {
        HEADWATER: [measured(ours, ssim) for ours in own],
        FFMPEG: [measured(peer, 0.97) for peer in theirs],
    }
    return groups((LatencyMode.LOW, turns))


def test_pictures_are_positioned_by_their_time(tmp_path: Path) -> None:
    path = pictures(tmp_path / "late.mp4", [0, 1, 2, 3, 4])
    recording = read(path, origin(path) - Fraction(7, FPS))
    assert (recording.span, recording.path) == (Span(7, 12), path)


def test_bits_are_those_of_the_span() -> None:
    recording = Recording(Path("a.mp4"), 10, (1000, 2000, 3000, 4000))
    assert recording.kbps(Span(11, 13)) == pytest.approx(5000 / (2 / FPS) / 1000)


def test_a_missing_picture_ends_the_recording(tmp_path: Path) -> None:
    path = pictures(tmp_path / "hole.mp4", [0, 1, 3, 4])
    assert read(path, origin(path)).span == Span(0, 2)


def test_segments_are_joined_by_number(tmp_path: Path) -> None:
    for name in ("init.mp4", "10.m4s", "9.m4s"):
        (tmp_path / name).write_bytes(name.encode())
    joined = join(tmp_path / "init.mp4", tmp_path.glob("*.m4s"), tmp_path / "joined")
    assert joined.read_bytes() == b"init.mp49.m4s10.m4s"


def test_no_segments_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no segments"):
        join(tmp_path / "init.mp4", (), tmp_path / "joined")


@pytest.mark.parametrize("span", [Span(9, 12), Span(10, 14)])
def test_a_recording_has_to_cover_the_compared_span(span: Span) -> None:
    recording = Recording(Path("a.mp4"), 10, (1, 1, 1))
    check_covers(recording, Span(10, 13))
    with pytest.raises(LabError, match="10 to 13"):
        check_covers(recording, span)


def test_scores_are_parsed() -> None:
    assert scores(LOG) == (0.97547, 35.094)


def test_missing_scores_are_an_error() -> None:
    with pytest.raises(LabError, match="no SSIM or no XPSNR"):
        scores("Conversion failed!")


def test_quality_is_interpolated_between_two_bitrates() -> None:
    low, high = Quality(500.0, 0.9, 30.0), Quality(2000.0, 0.99, 34.0)
    between = at_bitrate(1000.0, low, high)
    assert between.xpsnr == pytest.approx(32.0)
    assert decibels(between.ssim) == pytest.approx(15.0)
    assert at_bitrate(500.0, low, high).ssim == pytest.approx(low.ssim)
    assert math.isclose(at_bitrate(700.0, low, low).xpsnr, low.xpsnr)


@pytest.mark.parametrize("latency", list(LatencyMode))
def test_the_command_encodes_headwaters_ladder(latency: LatencyMode, tmp_path: Path) -> None:
    case = Case(latency, Preset.SUPERFAST)
    words = ffmpeg_command(case, Path("clip.flv"), tmp_path, threads=1, share=0.5)
    options = dict(pairwise(words))
    for place, rung in enumerate(case.rungs, 1):
        assert f"scale={rung.width}:{rung.height}" in options["-filter_complex"]
        assert int(options[f"-b:v:{place}"]) == rung.bitrate_bps // 2
        assert int(options[f"-maxrate:v:{place}"]) == rung.max_bitrate_bps // 2
        assert int(options[f"-bufsize:v:{place}"]) == rung.buffer_bits // 2
        assert options[f"-preset:v:{place}"] == "superfast"
        assert options[f"-threads:v:{place}"] == "1"
        assert options.get(f"-tune:v:{place}") == ("zerolatency" if latency is LatencyMode.LOW else None)


def test_the_ratio_is_computed_turn_by_turn() -> None:
    found = of_groups(BENCHMARK, compared((4.0, 5.0, 9.0), (5.0, 5.0, 10.0))).tables[0].rows
    assert [row.values["ratio"] for row in found] == [pytest.approx(0.9), 1.0]
    assert [row.values["encoding"] for row in found] == [pytest.approx(0.4), None]


def test_aims_are_met_and_missed() -> None:
    met = of_groups(BENCHMARK, compared((4.0,), (5.0,)))
    assert [aim.met for aim in met.aims] == [True, True]
    missed = of_groups(BENCHMARK, compared((5.0,), (5.0,), ssim=0.95))
    assert [aim.met for aim in missed.aims] == [False, False]
    small = of_groups(BENCHMARK, compared((4.0,), (5.0,)), ["--smoke"])
    assert [aim.met for aim in small.aims] == [None, None]


def test_the_rows_of_a_rendition_are_adjacent() -> None:
    both = {"v480p": Quality(1000.0, 0.97, 35.0), "v360p": Quality(500.0, 0.95, 30.0)}
    turns = {side: [Measured(10.0, Cpu(4.0), Cpu(1.0), both, both)] for side in (HEADWATER, FFMPEG)}
    rows = of_groups(BENCHMARK, groups((LatencyMode.LOW, turns))).tables[1].rows
    assert [row.values["track"] for row in rows] == ["v480p", "v480p", "v360p", "v360p"]


def test_a_rows_command_has_its_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.ladder.__main__.clip", lambda **options: Path("clip.flv"))
    with ExitStack() as stack:
        run = Run(BENCHMARK.parse(["--rounds", "2"]), stack, [], BENCHMARK.options, "ladder")
        low = next(iter(cases(run)))
    again = BENCHMARK.parse(low.command.split()[3:])
    assert (again.latency, again.rounds, again.sides) == ((low.key,), 2, tuple(CANDIDATES))


def test_an_unknown_side_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        BENCHMARK.parse(["--sides", "wowza"])
    assert "wowza is not one of headwater, ffmpeg" in capsys.readouterr().err
