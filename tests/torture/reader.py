"""The reference reader: FFmpeg's HLS demuxer and decoders, through PyAV."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

import av
import av.logging
from av.container import InputContainer

from tests.torture import strip
from tests.torture.recording import Track

OPTIONS = {"allowed_extensions": "ALL"}
# What FFmpeg reports without a loss for the viewer.
HARMLESS = ("Skip ('#EXT-X", "Opening '", "mime type is not rfc8216", "keepalive request failed")


@dataclass(slots=True)
class Read:
    """What a track decodes to. ``pictures`` are the times in seconds and the numbers, in the order in which FFmpeg
    returns them; ``errors`` are FFmpeg's."""

    pictures: list[tuple[float, int | None]] = field(default_factory=list)
    sounds: int = 0
    errors: list[str] = field(default_factory=list)


def read(track: Track) -> Read:
    """Decode all of a track."""
    result = Read()
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture(local=False) as logs:
        for container in _containers(track):
            with container:
                _decode(container, result)
    result.errors += [f"{name}: {text.strip()}" for _, name, text in logs if not text.startswith(HARMLESS)]
    return result


def _containers(track: Track) -> Iterator[InputContainer]:
    """The playlist; if it has gaps, which FFmpeg does not know, or several init segments, of which FFmpeg reads
    only the first, the segments between them."""
    if len(track.media) == len(track.segments) and len({segment.init for segment in track.segments}) == 1:
        yield av.open(str(track.playlist), "r", options=OPTIONS)
        return
    for (init, is_gap), run in groupby(track.segments, key=lambda s: (s.init, not s.fragments)):
        if not is_gap:
            names = [init, *(f"{segment.msn}.m4s" for segment in run)]
            yield av.open(io.BytesIO(b"".join((track.folder / name).read_bytes() for name in names)), "r")


def _decode(container: InputContainer, result: Read) -> None:
    for packet in container.demux():
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            result.errors.append(f"a packet cannot be decoded: {error}")
            continue
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                plane = frame.planes[0]
                number = strip.read(memoryview(plane), plane.line_size, frame.width)
                result.pictures.append((float(frame.time or 0), number))
            else:
                result.sounds += 1
