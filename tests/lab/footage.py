"""A broadcaster's clip with the complexity of real footage: a camera pans over photographs of scikit-image, and
every picture has its own film grain.

At equal quality (x264, CRF 23, 720p) a clip takes about as many bits as an animated film. It begins where it ends,
so it can be repeated without a cut.
"""

import os
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]

from tests.lab.errors import LabError
from tests.lab.ffmpeg import command_of

PACKAGE, FOLDER = "skimage", "data"
PHOTOGRAPHS = ("motorcycle_left.png", "astronaut.png", "coffee.png")
MISSING = (
    "scikit-image, whose photographs are published, is not installed: pip install 'headwater[bench]', or make bench"
)
# The photographs side by side, as a share of the picture's height; the camera moves within them.
SCENE = 10 / 9
# Of 255 levels.
GRAIN = 6
SOUND = "anoisesrc=color=pink:amplitude=0.3:sample_rate={rate}:seed=1"
SAMPLE_RATE = 48_000
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
    name = f"headwater-photographs-{size}-{fps}fps-{video_kbps}k-{audio_kbps}k-{gop_s:g}s-{seconds}s.flv"
    path = Path(tempfile.gettempdir()) / name
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        _make(_encode(photographs(), unfinished, video_kbps, seconds, fps, gop_s, size, audio_kbps))
        unfinished.replace(path)
    return path


def usual_clip(*, smoke: bool) -> Path:
    """The clip that most sections publish, or a shorter one for a ``smoke`` run. Raises LabError."""
    return clip(video_kbps=USUAL_KBPS, seconds=SMOKE_S if smoke else USUAL_S)


def photographs() -> list[Path]:
    """The paths of scikit-image's files; scikit-image is not imported, because that takes seconds.

    Raises LabError.
    """
    package = find_spec(PACKAGE)
    folder = Path(package.origin).parent / FOLDER if package is not None and package.origin else None
    paths = [folder / name for name in PHOTOGRAPHS] if folder is not None else []
    if not paths or not all(path.is_file() for path in paths):
        raise LabError(MISSING)
    return paths


def _encode(
    of: list[Path], to: Path, video_kbps: int, seconds: int, fps: int, gop_s: float, size: str, audio_kbps: int
) -> list[str]:
    width, height = map(int, size.split("x"))
    bitrate, gop = f"{video_kbps}k", round(gop_s * fps)
    output = ffmpeg.output(
        _pan(of, width, height, fps, seconds),
        ffmpeg.input(SOUND.format(rate=SAMPLE_RATE), f="lavfi").audio,
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


def _pan(of: list[Path], width: int, height: int, fps: int, seconds: int) -> "ffmpeg.nodes.FilterableStream":
    """There and back in ``seconds``, and up and down twice."""
    scene = round(height * SCENE / 2) * 2
    photographs = [
        ffmpeg.input(str(path), loop=1, framerate=fps)
        .video.filter("scale", -2, scene, flags="lanczos")
        .filter("setsar", 1)
        for path in of
    ]
    whole = ffmpeg.filter(photographs, "hstack", inputs=len(photographs)).filter("format", "yuv420p")
    x = f"(iw-ow)*(1-cos(2*PI*t/{seconds}))/2"
    y = f"(ih-oh)*(1-cos(4*PI*t/{seconds}))/2"
    return whole.filter("crop", width, height, x, y).filter("noise", alls=GRAIN, allf="t")


def _make(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"the footage could not be made: {done.stderr.strip()[-500:]}")
