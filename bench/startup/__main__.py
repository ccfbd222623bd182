"""The startup section: its options, cases, tables and aims."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.runner.benchmark import Benchmark, Case, Findings, Group, Run, TableSpec, as_number, figure
from bench.runner.main import main
from bench.runner.options import Option, count
from bench.runner.results import Aim, Plot, Series, Value
from bench.startup import picture, playlists, server
from tests.lab.footage import usual_clip

MIB = 1 << 20
# Seconds.
START_AIM, PLAYABLE_AIM, PICTURE_AIM = 1.0, 1.0, 2.0
SMOKE_ON_AIR_S = 4.0
START, PLAYLIST, PICTURE = "The server", "A broadcast's first playlist", "A viewer's first picture"
ABOUT = """\
The server, with an empty data directory and the default configuration: the time from its start to its ready line.
Then a broadcast of 720p30 with a keyframe every 2 s: the time from sending its first frame to the first playlist or
manifest with something to fetch (polled every 20 ms), which is a part with low latency and a whole segment
otherwise. Then a viewer of a live stream: the time from requesting the watch page to the first picture on the
screen of headless Chromium, which renders without a graphics card, in a fresh profile. The figures are medians of
all runs, with the longest run beside them.
"""


def cases(run: Run) -> Iterator[Case]:
    options, command = run.options, run.command()
    clip = usual_clip(smoke=options.smoke)
    yield Case("server", command, {"Headwater": server.measure}, options.runs, START)
    modes = {mode: partial(playlists.measure, mode, clip) for mode in playlists.MODES}
    yield Case("first playlist", command, modes, options.runs, PLAYLIST)
    if trouble := picture.missing():
        run.notes.append(trouble)
        return
    players = picture.PLAYERS[:1] if options.smoke else picture.PLAYERS
    on_air_s = SMOKE_ON_AIR_S if options.smoke else picture.ON_AIR_S
    browser, page = run.stack.enter_context(picture.viewer(clip, on_air_s))
    pictures = {player: partial(picture.measure, browser, page, player) for player in players}
    yield Case("first picture", command, pictures, options.runs, PICTURE)


@dataclass(frozen=True, slots=True)
class Waited:
    """The seconds that one thing took in each run; ``bar`` is its name in the plot."""

    what: str
    bar: str
    seconds: tuple[float, ...]


def _start(group: Group) -> Iterator[Waited]:
    yield Waited("it listens for RTMP and HTTP", "server", tuple(turn.seconds for turn in group.turns))


def _playlists(group: Group) -> Iterator[Waited]:
    mode = group.candidate
    for kind in group.turns[0].playable:
        seconds = tuple(turn.playable[kind] for turn in group.turns)
        yield Waited(f"{kind} playlist, {mode}", f"{kind},\n{mode}", seconds)


def _pictures(group: Group) -> Iterator[Waited]:
    player = group.candidate
    yield Waited(f"picture, {player}", f"picture,\n{player}", tuple(turn.seconds for turn in group.turns))


SPLITS = {START: _start, PLAYLIST: _playlists, PICTURE: _pictures}
TABLES = (
    TableSpec(
        START,
        (
            figure("what", "until", of=lambda group: "it listens for RTMP and HTTP"),
            figure("seconds", "median", "s", of=lambda group: group.median(lambda turn: turn.seconds)),
            figure("longest", "longest", "s", of=lambda group: max(turn.seconds for turn in group.turns)),
            figure("cpu", "CPU", "s", of=lambda group: group.median(lambda turn: turn.cpu)),
            figure("memory", "memory then", "MiB", digits=0, of=lambda g: g.median(lambda t: t.pss / MIB)),
        ),
        START,
    ),
    *(
        TableSpec(
            title,
            (
                figure("what", "until the first", of=lambda waited: waited.what),
                figure("seconds", "median", "s", of=lambda waited: median(waited.seconds)),
                figure("longest", "longest", "s", of=lambda waited: max(waited.seconds)),
            ),
            title,
            split=SPLITS[title],
        )
        for title in (PLAYLIST, PICTURE)
    ),
)


def plots(found: Findings) -> Iterable[Plot]:
    waited = [each for group in found.groups for each in SPLITS[group.case.kind](group)]
    bars = {each.bar: median(each.seconds) for each in waited}
    series = (Series("Headwater", tuple(bars), tuple(bars.values())),)
    yield Plot("seconds", "Until it is there", "", "s", series, kind="bars")


def aims(found: Findings) -> Iterable[Aim]:
    seconds = {row["what"]: row["seconds"] for table in SPLITS for row in found.values(table)}
    hls = f"{playlists.HLS} playlist, {playlists.LOW_LATENCY}"
    yield _aim(
        f"the server listens within {START_AIM:g} s", {"": seconds["it listens for RTMP and HTTP"]}, START_AIM
    )
    yield _aim(f"low-latency HLS plays within {PLAYABLE_AIM:g} s", {"": seconds[hls]}, PLAYABLE_AIM)
    pictures = {str(row["what"]).removeprefix("picture, "): row["seconds"] for row in found.values(PICTURE)}
    if pictures:
        yield _aim(f"a viewer sees a picture within {PICTURE_AIM:g} s", pictures, PICTURE_AIM)


def _aim(text: str, measured: dict[str, Value], most: float) -> Aim:
    seconds = {name: as_number(value) for name, value in measured.items()}
    words = ", ".join(f"{name} {value:.2f} s".strip() for name, value in seconds.items())
    return Aim(text, words, max(seconds.values()) <= most)


BENCHMARK = Benchmark(
    name="startup",
    title="Start-up",
    about=ABOUT,
    description="How long it takes until something is there.",
    options=(Option("--runs", 7, count(), "of each", smoke=1),),
    cases=cases,
    tables=TABLES,
    plots=plots,
    aims=aims,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
