"""A broadcaster that draws the time of day into every frame, as a strip above ffmpeg's moving test picture."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import ffmpeg  # type: ignore[import-untyped]

from tests.lab.ffmpeg import command_of
from tests.lab.glass.strip import HEIGHT, WIDTH, blocks

PICTURE_HEIGHT = 720
KEYFRAME_INTERVAL_S = 2
CONNECTING_S = 2.0


@contextmanager
def publishing(url: str, *, fps: int = 30, bitrate: str = "2500k") -> Iterator[None]:
    """ffmpeg publishing to ``url`` (which includes the key) at zero latency, until the block ends."""
    process = subprocess.Popen(command(url, fps, bitrate), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    ending = threading.Event()
    feeder = threading.Thread(target=feed, args=(process, fps, ending))
    feeder.start()
    try:
        yield
    finally:
        ending.set()
        feeder.join()
        process.terminate()
        _, errors = process.communicate()
        if lines := errors.decode(errors="replace").strip():
            print(f"ffmpeg: {lines.splitlines()[-1]}")


def feed(process: "subprocess.Popen[bytes]", fps: int, ending: threading.Event) -> None:
    """Write a strip at each frame's time, until ``ending`` is set or ffmpeg stops reading.

    While ffmpeg connects, the pipe is full and the write waits, so no strip is sent late. Afterwards the frame
    count gives each frame's time, so none is left out.
    """
    assert process.stdin is not None
    due = started = time.monotonic()
    try:
        while not ending.is_set():
            process.stdin.write(blocks(time.time_ns() // 1_000_000))
            process.stdin.flush()
            due += 1 / fps
            if time.monotonic() - started < CONNECTING_S:
                due = max(due, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
    except BrokenPipeError:
        return


def command(url: str, fps: int, bitrate: str) -> list[str]:
    strip = ffmpeg.input(
        "pipe:0",
        format="rawvideo",
        pixel_format="gray",
        video_size=(WIDTH, HEIGHT),
        framerate=fps,
        probesize=32,
        analyzeduration=0,
        fflags="nobuffer",
        thread_queue_size=1,
    )
    picture = ffmpeg.input(f"testsrc2=size={WIDTH}x{PICTURE_HEIGHT - HEIGHT}:rate={fps}", format="lavfi")
    video = strip.filter("format", "yuv420p").filter("pad", WIDTH, PICTURE_HEIGHT).overlay(picture, x=0, y=HEIGHT)
    audio = ffmpeg.input("sine=frequency=220:beep_factor=4:sample_rate=48000", format="lavfi").audio
    keyframe_every = fps * KEYFRAME_INTERVAL_S
    output = ffmpeg.output(
        video,
        audio,
        url,
        format="flv",
        flvflags="no_duration_filesize",
        vcodec="libx264",
        preset="veryfast",
        tune="zerolatency",
        pix_fmt="yuv420p",
        video_bitrate=bitrate,
        maxrate=bitrate,
        bufsize=bitrate,
        g=keyframe_every,
        keyint_min=keyframe_every,
        sc_threshold=0,
        acodec="aac",
        audio_bitrate="128k",
        ac=2,
        flush_packets=1,
    )
    return command_of(output)
