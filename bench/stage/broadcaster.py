"""The broadcaster: ffmpeg sending a prepared clip again and again, at its own pace and without encoding."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]
import imageio_ffmpeg  # type: ignore[import-untyped]

SIZE, FPS, GOP = "1280x720", 30, 60
SECONDS = 20
VIDEO_BITRATE, AUDIO_BITRATE = "2500k", "128k"
QUIET = ("-hide_banner", "-nostats", "-loglevel", "error")


def clip() -> Path:
    """720p30 with a keyframe every 2 s, made once on each machine."""
    path = Path(tempfile.gettempdir()) / f"headwater-testsrc-{SIZE}-{FPS}-{GOP}-{VIDEO_BITRATE}-{SECONDS}s.flv"
    if path.exists():
        return path
    picture = ffmpeg.input(f"testsrc2=size={SIZE}:rate={FPS}", f="lavfi", t=SECONDS)
    sound = ffmpeg.input("sine=frequency=220:beep_factor=4:sample_rate=48000", f="lavfi", t=SECONDS)
    unfinished = path.with_suffix(".unfinished")
    output = ffmpeg.output(
        picture,
        sound,
        str(unfinished),
        format="flv",
        vcodec="libx264",
        preset="veryfast",
        tune="zerolatency",
        pix_fmt="yuv420p",
        video_bitrate=VIDEO_BITRATE,
        maxrate=VIDEO_BITRATE,
        bufsize=VIDEO_BITRATE,
        g=GOP,
        keyint_min=GOP,
        sc_threshold=0,
        acodec="aac",
        audio_bitrate=AUDIO_BITRATE,
        ac=2,
    )
    subprocess.run(_command(output.overwrite_output()), check=True)
    unfinished.rename(path)
    return path


@contextmanager
def publishing(source: Path, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """ffmpeg publishing ``source`` in a loop to ``url``; ended with the block."""
    looped = ffmpeg.input(str(source), re=None, stream_loop=-1)
    command = _command(looped.output(url, format="flv", c="copy", flvflags="no_duration_filesize"))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _command(output: "ffmpeg.nodes.OutputStream") -> list[str]:
    arguments: list[str] = output.global_args(*QUIET).compile(cmd=imageio_ffmpeg.get_ffmpeg_exe())
    return arguments
