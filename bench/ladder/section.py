"""From measurements to the section of the book."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from bench.ladder.candidates import FFMPEG, HEADWATER
from bench.ladder.case import STEPS
from bench.ladder.measure import Measured
from bench.ladder.quality import Quality, at_bitrate
from bench.stage.results import Aim, Column, Plot, Row, Section, Series, Table, Value

CPU_AIM = 0.9
# What a change of the bitrate by a thousandth makes; less is no difference between encoders.
EQUAL_SSIM, EQUAL_XPSNR_DB = 0.0005, 0.05
RENDITIONS = ", ".join(f"{step.height}p at {step.bitrate // 1000} kbit/s" for step in STEPS)
ABOUT = f"""\
720p30 to {RENDITIONS}, H.264 by libx264 at one preset.
Headwater takes the broadcast over RTMP and does all else that it does for one: HLS, low-latency HLS, DASH,
thumbnails, the directory store; every process of it is counted. ffmpeg is one command that reads the same clip from
a file at the same pace (`-re`), splits, scales and encodes it, and writes HLS of fMP4 segments with the source and
the sound copied: once with as many threads as it likes, and once with one for each encoder, which is cheaper where
processors are scarce. They take turns. `low` is x264's `zerolatency`, `normal` has B-frames and look-ahead.

Each rendition's pictures are scaled up to the source's size with splines, as a player scales them, and compared
with the source's frame by frame, all planes by SSIM and luma by XPSNR. The encoders do not make exactly the bits
they were asked for, so ffmpeg's quality is also given at Headwater's bits, on the line through a second encode at
nine tenths of the bitrates. Headwater's own choices are its cascade (each size is scaled from the one above, with
Lanczos where ffmpeg's own scaler is bicubic), one thread for each encoder, and at `veryfast` the motion search of
the next faster preset (`me=dia`, `subme=1`)."""
COST_COLUMNS = (
    Column("latency", "latency"),
    Column("side", "who"),
    Column("cpu", "CPU of a stream-second", "s", digits=3),
    Column("user", "user", "s", digits=3),
    Column("system", "system", "s", digits=3),
    Column("encoding", "in the transcoder's process", "s", digits=3),
    Column("ratio", "to ffmpeg's"),
)
QUALITY_COLUMNS = (
    Column("latency", "latency"),
    Column("track", "rendition"),
    Column("side", "who"),
    Column("kbps", "bitrate", "kbit/s", digits=0),
    Column("ssim", "SSIM", digits=4),
    Column("xpsnr", "XPSNR", "dB"),
    Column("equal_ssim", "SSIM at Headwater's bits", digits=4),
    Column("equal_xpsnr", "XPSNR at Headwater's bits", "dB"),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One latency. ``rounds`` have each side's measurement by its name; the first ones have their quality.
    ``other`` is ffmpeg's quality at other bitrates."""

    latency: str
    rounds: Sequence[Mapping[str, Measured]]
    other: Mapping[str, Quality]

    def ratio(self, side: str) -> float | None:
        """Of ``side``'s CPU to ffmpeg's: the median of the rounds."""
        found = [
            turn[side].cpu_share / turn[FFMPEG].cpu_share for turn in self.rounds if {side, FFMPEG} <= turn.keys()
        ]
        return median(found) if found else None

    def behind(self) -> Quality | None:
        """How much more quality ffmpeg has than Headwater at Headwater's bits, on the average of the renditions."""
        first = self.rounds[0]
        if not {HEADWATER, FFMPEG} <= first.keys():
            return None
        pairs = [(own, self.equal(FFMPEG, track)) for track, own in first[HEADWATER].quality.items()]
        return Quality(
            0,
            mean(other.ssim - own.ssim for own, other in pairs),
            mean(other.xpsnr - own.xpsnr for own, other in pairs),
        )

    def equal(self, side: str, track: str) -> Quality:
        """``side``'s quality at Headwater's bits."""
        first = self.rounds[0]
        kbps = first[HEADWATER if HEADWATER in first else side].quality[track].kbps
        return at_bitrate(kbps, first[side].quality[track], self.other[track])


def section(found: Sequence[Compared], command: str, notes: Iterable[str], small: bool) -> Section:
    """``small`` runs prove nothing."""
    sides = tuple(found[0].rounds[0])
    costs = [Row(_cost(each, side), _command(command, each.latency)) for each in found for side in sides]
    qualities = [
        Row(_quality(each, side, track), _command(command, each.latency))
        for each in found
        for track in each.rounds[0][sides[0]].quality
        for side in sides
    ]
    return Section(
        name="ladder",
        title="Ladder cost",
        about=ABOUT,
        command=command,
        tables=(
            Table("What a ladder costs", COST_COLUMNS, tuple(costs)),
            Table("How good its pictures are", QUALITY_COLUMNS, tuple(qualities)),
        ),
        plots=(_plot("cpu", "CPU of a stream-second", "s", found, sides),),
        aims=tuple(aim for each in found for aim in _aims(each, small)),
        notes=tuple(notes),
    )


def _command(command: str, latency: str) -> str:
    words = command.split()
    words[words.index("--latency") + 1] = latency
    return " ".join(words)


def _cost(found: Compared, side: str) -> dict[str, Value]:
    turns = [turn[side] for turn in found.rounds]
    return {
        "latency": found.latency,
        "side": side,
        "cpu": median(turn.cpu_share for turn in turns),
        "user": median(turn.cpu.user / turn.seconds for turn in turns),
        "system": median(turn.cpu.system / turn.seconds for turn in turns),
        "encoding": median(turn.children_share for turn in turns) if side == HEADWATER else None,
        "ratio": found.ratio(side),
    }


def _quality(found: Compared, side: str, track: str) -> dict[str, Value]:
    quality = found.rounds[0][side].quality[track]
    equal = None if side == HEADWATER else found.equal(side, track)
    return {
        "latency": found.latency,
        "track": track,
        "side": side,
        "kbps": quality.kbps,
        "ssim": quality.ssim,
        "xpsnr": quality.xpsnr,
        "equal_ssim": quality.ssim if equal is None else equal.ssim,
        "equal_xpsnr": quality.xpsnr if equal is None else equal.xpsnr,
    }


def _plot(name: str, title: str, unit: str, found: Sequence[Compared], sides: Sequence[str]) -> Plot:
    latencies = tuple(each.latency for each in found)
    series = (
        Series(side, latencies, tuple(median(turn[side].cpu_share for turn in each.rounds) for each in found))
        for side in sides
    )
    return Plot(name, title, "latency", unit, tuple(series), kind="bars")


def _aims(found: Compared, small: bool) -> tuple[Aim, ...]:
    ratio, behind = found.ratio(HEADWATER), found.behind()
    if ratio is None or behind is None:
        return ()
    return (
        Aim(
            f"at most {CPU_AIM} of ffmpeg's CPU, {found.latency} latency",
            f"{ratio:.2f}",
            None if small else ratio <= CPU_AIM,
        ),
        Aim(
            f"pictures as good as ffmpeg's at the same bits, {found.latency} latency",
            f"SSIM {-behind.ssim:+.4f}, XPSNR {-behind.xpsnr:+.2f} dB on the average of the renditions",
            None if small else behind.ssim <= EQUAL_SSIM and behind.xpsnr <= EQUAL_XPSNR_DB,
        ),
    )
