"""The compared encoders: how to start each on a clip, and where it writes its renditions."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]
import imageio_ffmpeg  # type: ignore[import-untyped]

from bench.ladder.case import FPS, GOP_S, STEPS, Case
from bench.ladder.recording import join
from tests.lab.errors import LabError
from tests.lab.rtmp.publishers import publishing
from tests.lab.server import serving
from transcoder.ladder import SOURCE_TRACK
from transcoder.options import LatencyMode

HEADWATER, FFMPEG, FFMPEG_SINGLE = "headwater", "ffmpeg", "ffmpeg-1-thread"
STREAM = "ladder"
QUIET = ("-hide_banner", "-nostats", "-loglevel", "error")
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """``finish`` ends the work; afterwards ``tracks`` returns one file per track."""

    pid: int
    finish: Callable[[], None]
    tracks: Callable[[], dict[str, Path]]


Candidate = Callable[[Path, Case, Path], AbstractContextManager[Running]]


@contextmanager
def headwater(directory: Path, case: Case, clip: Path) -> Iterator[Running]:
    steps = [{"height": step.height, "bitrate": step.bitrate} for step in STEPS]
    settings = {
        "HEADWATER_TRANSCODER__LADDER": json.dumps(steps),
        "HEADWATER_TRANSCODER__PRESET": case.preset.value,
        "HEADWATER_TRANSCODER__LATENCY": case.latency.value,
    }
    names = (SOURCE_TRACK, *(rung.track for rung in case.rungs))
    with (
        serving(directory, environment=settings) as server,
        publishing(clip, [server.create(STREAM)]) as publishers,
    ):

        def finish() -> None:
            if lost := publishers.finish().lost:
                raise LabError(f"the publisher was cut off: {lost[0]}")

        def tracks() -> dict[str, Path]:
            (broadcast,) = {path.parent.parent for path in directory.glob(f"store/live/{STREAM}/*/*/init-0.mp4")}
            return {name: _joined(broadcast / name, "init-0.mp4") for name in names}

        yield Running(server.pid, finish, tracks)


def ffmpeg_command(case: Case, clip: Path, directory: Path, threads: int | None, share: float = 1.0) -> list[str]:
    """The whole ladder in one command. ``threads`` is the number per encoder, None for ffmpeg's own choice;
    ``share`` scales the ladder's bitrates."""
    source = ffmpeg.input(str(clip), re=None)
    outputs = source.video.filter_multi_output("split", len(case.rungs))
    scaled = [outputs[place].filter("scale", rung.width, rung.height) for place, rung in enumerate(case.rungs)]
    options: dict[str, str] = {"c:v:0": "copy", "c:a": "copy"}
    for place, rung in enumerate(case.rungs, 1):
        options |= {
            f"c:v:{place}": "libx264",
            f"preset:v:{place}": case.preset.value,
            f"profile:v:{place}": "high",
            f"b:v:{place}": str(int(rung.bitrate_bps * share)),
            f"maxrate:v:{place}": str(int(rung.max_bitrate_bps * share)),
            f"bufsize:v:{place}": str(int(rung.buffer_bits * share)),
            f"g:v:{place}": str(FPS * GOP_S),
            f"keyint_min:v:{place}": str(FPS * GOP_S),
            f"sc_threshold:v:{place}": "0",
            f"flags:v:{place}": "+cgop",
            f"fps_mode:v:{place}": "passthrough",
            **({} if threads is None else {f"threads:v:{place}": str(threads)}),
            **({f"tune:v:{place}": "zerolatency"} if case.latency is LatencyMode.LOW else {}),
        }
    names = (SOURCE_TRACK, *(rung.track for rung in case.rungs))
    variants = [f"v:{place},agroup:sound,name:{name}" for place, name in enumerate(names)]
    output = ffmpeg.output(
        source.video,
        *scaled,
        source.audio,
        str(directory / "%v" / "media.m3u8"),
        format="hls",
        hls_time=GOP_S,
        hls_list_size=0,
        hls_segment_type="fmp4",
        hls_fmp4_init_filename="init.mp4",
        hls_segment_filename=str(directory / "%v" / "%d.m4s"),
        var_stream_map=" ".join(("a:0,agroup:sound,name:sound", *variants)),
        **options,
    )
    command: list[str] = output.global_args(*QUIET).compile(cmd=imageio_ffmpeg.get_ffmpeg_exe())
    return command


def ffmpeg_candidate(threads: int | None) -> Candidate:
    @contextmanager
    def running(directory: Path, case: Case, clip: Path) -> Iterator[Running]:
        directory.mkdir()
        process = subprocess.Popen(
            ffmpeg_command(case, clip, directory, threads), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

        def finish() -> None:
            if process.poll() is not None:
                raise LabError(f"ffmpeg ended by itself: {process.communicate()[1].strip()[-500:]}")
            process.communicate("q", timeout=STOP_S)

        try:
            yield Running(process.pid, finish, lambda: ffmpeg_tracks(case, directory))
        finally:
            process.kill()
            process.communicate()

    return running


def ffmpeg_tracks(case: Case, directory: Path) -> dict[str, Path]:
    names = (SOURCE_TRACK, *(rung.track for rung in case.rungs))
    return {name: _joined(directory / name, "init*.mp4") for name in names}


CANDIDATES: dict[str, Candidate] = {
    HEADWATER: headwater,
    FFMPEG: ffmpeg_candidate(None),
    FFMPEG_SINGLE: ffmpeg_candidate(1),
}


def _joined(directory: Path, init: str) -> Path:
    """Raises LabError."""
    found = next(directory.glob(init), None)
    if found is None:
        raise LabError(f"no pictures were written to {directory.name}: the run is too short, or too much")
    return join(found, directory.glob("[0-9]*.m4s"), directory.with_suffix(".mp4"))
