"""ffmpeg as a broadcaster, which publishes a prepared clip in real time, and ffmpeg as a viewer."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]

from tests.lab.ffmpeg import command_of, ffmpeg_path


@dataclass(frozen=True, slots=True)
class Clip:
    """Sizes are in luma samples, ``gop`` in frames; None for an absent track."""

    seconds: int
    size: str | None = "640x360"
    fps: int = 30
    gop: int = 60
    video_kbps: int = 1000
    audio: str | None = "aac"
    video_options: tuple[tuple[str, str | int], ...] = ()


def make_clip(clip: Clip, path: Path) -> Path:
    """Encode ``clip`` into an FLV file once; publishing it then costs no encoding."""
    inputs = []
    options: dict[str, str | int] = {}
    if clip.size is not None:
        inputs.append(ffmpeg.input(f"testsrc2=size={clip.size}:rate={clip.fps}", f="lavfi", t=clip.seconds))
        options |= {"vcodec": "libx264", "preset": "veryfast", "pix_fmt": "yuv420p", "sc_threshold": 0}
        options |= {"video_bitrate": f"{clip.video_kbps}k", "g": clip.gop, "keyint_min": clip.gop}
        options |= dict(clip.video_options)
    if clip.audio is not None:
        inputs.append(ffmpeg.input("sine=frequency=440:beep_factor=4:sample_rate=48000", f="lavfi", t=clip.seconds))
        options |= {"acodec": clip.audio, "audio_bitrate": "96k", "ac": 2}
    output = ffmpeg.output(*inputs, str(path), format="flv", **options).overwrite_output()
    subprocess.run(command_of(output), check=True, capture_output=True)
    return path


@contextmanager
def publishing(
    source: Path, url: str, *, seconds: float | None = None, loop: bool = False, catches_up: bool = True
) -> Iterator[subprocess.Popen[str]]:
    """ffmpeg publishing ``source`` to ``url`` (the Server line and the key), once or in a ``loop``, until the block
    ends. ``catches_up``: after a stop, it sends what it could not send, as fast as it can."""
    limits = {} if seconds is None else {"t": seconds}
    pace: dict[str, float | None] = {"re": None} if catches_up else {"readrate": 1, "readrate_catchup": 1}
    loops = {"stream_loop": -1} if loop else {}
    # A track that pauses holds up the other one in ffmpeg's interleaving for this many microseconds.
    output = ffmpeg.input(str(source), **pace, **loops).output(
        url, format="flv", c="copy", flvflags="no_duration_filesize", max_interleave_delta=500_000, **limits
    )
    process = subprocess.Popen(
        command_of(output, log="warning"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@dataclass(frozen=True, slots=True)
class Played:
    """What ffmpeg decoded: frames of the best video stream, and every error it met.

    Warnings are left out: ffmpeg's HLS reader warns each time it reads the init segment again.
    """

    frames: int
    errors: str


def play(url: str, *, timeout: float = 60) -> Played:
    """Decode the best video and audio of ``url`` with ffmpeg, to the end."""
    command = [ffmpeg_path(), "-hide_banner", "-loglevel", "error", "-nostats", "-progress", "pipe:1"]
    # With the input's time base: two frames that are less than a frame apart, at a discontinuity, keep their times.
    command += ["-i", url, "-enc_time_base:v", "demux", "-f", "null", "-"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    counts = [int(line.removeprefix("frame=")) for line in result.stdout.splitlines() if line.startswith("frame=")]
    return Played(counts[-1] if counts else 0, result.stderr if result.returncode or result.stderr else "")
