"""The good streams that are bent: short clips whose pictures show their numbers."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]

from tests.lab.ffmpeg import command_of
from tests.lab.rtmp.flv import AUDIO, SCRIPT, VIDEO, read_tags
from tests.torture import strip
from tests.torture.script import Message

SECONDS = 8
FPS = 25
PICTURES = SECONDS * FPS


@dataclass(frozen=True, slots=True)
class Clip:
    """``gop`` is in pictures. The pictures are numbered from ``first``."""

    name: str
    height: int = 144
    gop: int = FPS
    b_frames: int = 0
    slices: int = 1
    sample_rate: int = 48_000
    first: int = 0


PLAIN = Clip("plain")
B_FRAMES = Clip("b-frames", b_frames=2)
SLICES = Clip("slices", slices=4)
LOW_RATE = Clip("44100-hz", sample_rate=44_100)
ONE_KEYFRAME = Clip("one-keyframe", gop=10 * PICTURES)
# Another size, to change to within a stream. Its numbers continue those of the other clips.
TALLER = Clip("taller", height=160, first=PICTURES)
CLIPS = (PLAIN, B_FRAMES, SLICES, LOW_RATE, ONE_KEYFRAME, TALLER)


def make(clip: Clip, folder: Path) -> Path:
    """The clip as an FLV file in ``folder``, encoded once."""
    path = folder / f"{clip.name}.flv"
    if path.exists():
        return path
    picture = ffmpeg.input(
        "pipe:0",
        format="rawvideo",
        pixel_format="gray",
        video_size=(strip.WIDTH, clip.height),
        framerate=FPS,
    ).filter("format", "yuv420p")
    # A tone that rises makes every audio frame different from all others.
    sound = ffmpeg.input(
        f"aevalsrc='0.4*sin(2*PI*(220*t+60*t*t))':s={clip.sample_rate}", f="lavfi", t=SECONDS
    ).audio
    unfinished = path.with_suffix(".part")
    output = ffmpeg.output(
        picture,
        sound,
        str(unfinished),
        format="flv",
        vcodec="libx264",
        preset="veryfast",
        pix_fmt="yuv420p",
        bf=clip.b_frames,
        g=clip.gop,
        keyint_min=clip.gop,
        sc_threshold=0,
        threads=1,
        acodec="aac",
        audio_bitrate="48k",
        ac=1,
        **{"x264-params": f"slices={clip.slices}:scenecut=0"},
    ).overwrite_output()
    subprocess.run(command_of(output), input=b"".join(_pictures(clip)), check=True, capture_output=True)
    unfinished.replace(path)
    return path


def _pictures(clip: Clip) -> Iterator[bytes]:
    texture = bytes((x * x // 7 + x * 3) & 0x7F | 0x40 for x in range(2 * strip.WIDTH))
    for number in range(PICTURES):
        rows = (texture[(number + y) % strip.WIDTH :][: strip.WIDTH] for y in range(clip.height - strip.HEIGHT))
        yield strip.draw(clip.first + number) + b"".join(rows)


@cache
def load(path: Path, clip: Clip) -> tuple[Message, ...]:
    """The clip's messages, each sent at the time of its timestamp."""
    tags = [tag for tag in read_tags(path) if not tag.is_end]
    pictures = [tag for tag in tags if tag.type_id == VIDEO and not tag.is_header]
    # The place of each picture in the order of presentation.
    shown = sorted(pictures, key=lambda tag: tag.timestamp + int.from_bytes(tag.data[2:5], "big", signed=True))
    number = {tag: clip.first + place for place, tag in enumerate(shown)}
    sounds = 0
    messages = []
    for tag in tags:
        sound = None
        if tag.type_id == AUDIO and not tag.is_header:
            sound, sounds = clip.first + sounds, sounds + 1
        key = tag.type_id == VIDEO and tag.data[:2] == b"\x17\x01"
        messages.append(Message(tag.timestamp, tag.type_id, tag.timestamp, tag.data, number.get(tag), sound, key))
    assert messages[0].type_id == SCRIPT
    return tuple(messages)
