"""The ladder section: its options, cases, tables and aims."""

import argparse
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean

from bench.ladder.candidates import CANDIDATES, FFMPEG, HEADWATER
from bench.ladder.case import FPS, GOP_S, SOURCE_KBPS, STEPS
from bench.ladder.case import Case as Ladder
from bench.ladder.measure import Measured, measure, other_point
from bench.ladder.quality import Quality, at_bitrate
from bench.runner.benchmark import Benchmark, Case, Findings, Group, Run, TableSpec, figure, series_by
from bench.runner.main import main
from bench.runner.options import Option, choice, count, listed, number
from bench.runner.results import Aim, Plot
from tests.lab.footage import clip
from transcoder.options import LatencyMode, Preset

# How much longer the clip is than the counted seconds.
SPARE_S = 4
# The share of the bitrates for the second point of ffmpeg's rate-quality line.
OTHER_SHARE = 0.9
CPU_AIM = 0.9
# A change of the bitrate by a thousandth has this effect; a smaller difference between encoders does not count.
EQUAL_SSIM, EQUAL_XPSNR_DB = 0.0005, 0.05
COST = "What a ladder costs"
RENDITIONS = ", ".join(f"{step.height}p at {step.bitrate // 1000} kbit/s" for step in STEPS)
ABOUT = f"""\
720p30 to {RENDITIONS}, H.264 by libx264 at one preset.
Headwater receives the broadcast over RTMP and does everything else that it does for a broadcast: HLS, low-latency
HLS, DASH, thumbnails, the directory store; all its processes are counted. ffmpeg is one command that reads the same
clip from a file in real time (`-re`), splits, scales and encodes it, and writes HLS with fMP4 segments with the
source video and the audio copied: once with ffmpeg's own choice of threads, and once with one thread per encoder,
which costs less if there are few processors. They take turns. `low` is x264's `zerolatency`, `normal` has B-frames
and look-ahead.

Each rendition's pictures are scaled up to the source's size with splines, as a player scales them, and compared
with the source's frame by frame, all planes by SSIM and luma by XPSNR. The encoders do not hit the requested
bitrate exactly, so ffmpeg's quality is also given at Headwater's bitrate, interpolated through a second encode at
nine tenths of the bitrates. Headwater differs from ffmpeg in its cascade (each size is scaled from the next larger
one, with Lanczos, while ffmpeg's default scaler is bicubic), one thread per encoder, and at `veryfast` the motion
search of the next faster preset (`me=dia`, `subme=1`)."""


def cases(run: Run) -> Iterator[Case]:
    options = run.options
    length = math.ceil(options.warm_up + options.seconds) + SPARE_S
    source = clip(video_kbps=SOURCE_KBPS, seconds=length, fps=FPS, gop_s=GOP_S)
    for latency in options.latency:
        ladder = Ladder(latency, options.preset)
        candidates = {side: partial(_turn, side, ladder, source, options) for side in options.sides}
        yield Case(latency, run.command(latency=(latency,)), candidates, options.rounds)


def _turn(side: str, ladder: Ladder, source: Path, options: argparse.Namespace, number: int) -> Measured:
    """Quality is measured in the first turn only."""
    warm_up, seconds, look = options.warm_up, options.seconds, number == 0
    measured = measure(CANDIDATES[side], ladder, source, warm_up, seconds, look=look)
    if not look or side == HEADWATER:
        return measured
    return replace(measured, other=other_point(ladder, source, warm_up, seconds, OTHER_SHARE))


@dataclass(frozen=True, slots=True)
class Rendition:
    """One rendition of one side."""

    group: Group
    track: str

    @property
    def quality(self) -> Quality:
        found: Quality = self.group.turns[0].quality[self.track]
        return found

    @property
    def equal(self) -> Quality:
        """The side's quality at Headwater's bitrate."""
        headwater = self.group.all_turns.get(HEADWATER)
        if self.group.candidate == HEADWATER or headwater is None:
            return self.quality
        kbps = headwater[0].quality[self.track].kbps
        return at_bitrate(kbps, self.quality, self.group.turns[0].other[self.track])


def _renditions(group: Group) -> Iterator[Rendition]:
    return (Rendition(group, track) for track in group.turns[0].quality)


COST_TABLE = TableSpec(
    COST,
    (
        figure("latency", "latency", of=lambda group: group.case.key.value),
        figure("side", "who", of=lambda group: group.candidate),
        figure("cpu", "CPU of a stream-second", "s", digits=3, of=lambda g: g.median(lambda t: t.cpu_share)),
        figure("user", "user", "s", digits=3, of=lambda g: g.median(lambda t: t.cpu.user / t.seconds)),
        figure("system", "system", "s", digits=3, of=lambda g: g.median(lambda t: t.cpu.system / t.seconds)),
        figure(
            "encoding",
            "in the transcoder's process",
            "s",
            digits=3,
            of=lambda g: g.median(lambda t: t.children_share) if g.candidate == HEADWATER else None,
        ),
        figure("ratio", "to ffmpeg's", of=lambda group: _ratio(group)),
    ),
)
QUALITY_TABLE = TableSpec(
    "How good its pictures are",
    (
        figure("latency", "latency", of=lambda each: each.group.case.key.value),
        figure("track", "rendition", of=lambda each: each.track),
        figure("side", "who", of=lambda each: each.group.candidate),
        figure("kbps", "bitrate", "kbit/s", digits=0, of=lambda each: each.quality.kbps),
        figure("ssim", "SSIM", digits=4, of=lambda each: each.quality.ssim),
        figure("xpsnr", "XPSNR", "dB", of=lambda each: each.quality.xpsnr),
        figure("equal_ssim", "SSIM at Headwater's bits", digits=4, of=lambda each: each.equal.ssim),
        figure("equal_xpsnr", "XPSNR at Headwater's bits", "dB", of=lambda each: each.equal.xpsnr),
    ),
    split=_renditions,
    order=lambda each: list(each.group.turns[0].quality).index(each.track),
)


def _ratio(group: Group) -> float | None:
    if group.candidate == FFMPEG:
        return 1.0
    return group.ratio(FFMPEG, lambda turn: turn.cpu_share)


def plots(found: Findings) -> Iterable[Plot]:
    series = series_by(found.values(COST), by="side", x="latency", y="cpu")
    yield Plot("cpu", "CPU of a stream-second", "latency", "s", series, kind="bars")


def aims(found: Findings) -> Iterable[Aim]:
    for own in found.groups:
        ratio = own.ratio(FFMPEG, lambda turn: turn.cpu_share)
        if own.candidate != HEADWATER or ratio is None:
            continue
        peer = Group(own.case, FFMPEG, own.all_turns)
        pairs = [(each.quality, Rendition(peer, each.track).equal) for each in _renditions(own)]
        ssim = mean(ours.ssim - theirs.ssim for ours, theirs in pairs)
        xpsnr = mean(ours.xpsnr - theirs.xpsnr for ours, theirs in pairs)
        latency = f"{own.case.key.value} latency"
        yield Aim(f"at most {CPU_AIM} of ffmpeg's CPU, {latency}", f"{ratio:.2f}", ratio <= CPU_AIM)
        yield Aim(
            f"pictures as good as ffmpeg's at the same bits, {latency}",
            f"SSIM {ssim:+.4f}, XPSNR {xpsnr:+.2f} dB on the average of the renditions",
            ssim >= -EQUAL_SSIM and xpsnr >= -EQUAL_XPSNR_DB,
        )


BENCHMARK = Benchmark(
    name="ladder",
    title="Ladder cost",
    about=ABOUT,
    description="What renditions cost, and how good they are.",
    options=(
        Option("--seconds", 40.0, number(above=0), "that are counted and compared", smoke=1.0),
        Option("--warm-up", 8.0, number(at_least=GOP_S), "seconds before them", smoke=4.0),
        Option("--rounds", 3, count(), "how often the sides take turns", smoke=1),
        Option("--preset", Preset.VERYFAST, choice(*Preset), "libx264's, for both"),
        Option("--sides", tuple(CANDIDATES), listed(choice(*CANDIDATES)), "who", smoke=(HEADWATER, FFMPEG)),
        Option("--latency", tuple(LatencyMode), listed(choice(*LatencyMode)), "modes", smoke=(LatencyMode.LOW,)),
    ),
    cases=cases,
    tables=(COST_TABLE, QUALITY_TABLE),
    plots=plots,
    aims=aims,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
