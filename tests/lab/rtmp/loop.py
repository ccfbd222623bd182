"""An endlessly repeated clip as RTMP chunks, one piece for each frame time.

All publishers send the same bytes for the same frame, so these are encoded only once.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from ingest.rtmp.amf0 import encode
from ingest.rtmp.chunk_writer import encode_message
from ingest.rtmp.message import Message
from tests.lab.errors import LabError
from tests.lab.rtmp.flv import AUDIO, SCRIPT, VIDEO, Tag, read_tags

# OBS's chunk size and chunk streams.
CHUNK_SIZE = 4096
CHUNK_STREAMS = {AUDIO: 4, VIDEO: 6, SCRIPT: 4}
MESSAGE_STREAM = 1
KEPT_TICKS = 512


class Loop:
    """``due_ms`` are the frame times of one repetition, ``length_ms`` is its duration."""

    def __init__(self, tags: Sequence[Tag]) -> None:
        media = [tag for tag in tags if not tag.is_header and not tag.is_end]
        self.due_ms = tuple(tag.timestamp for tag in media if tag.type_id == VIDEO)
        if len(self.due_ms) < 2:
            raise LabError("the clip has no pictures to publish")
        first, last, frames = self.due_ms[0], self.due_ms[-1], len(self.due_ms)
        self.length_ms = round((last - first) * frames / (frames - 1))
        self._ticks = _ticks([tag for tag in media if tag.timestamp < first + self.length_ms])
        self._headers = [tag for tag in tags if tag.is_header]
        self.at = lru_cache(KEPT_TICKS)(self._at)

    def due(self, tick: int) -> float:
        """Seconds from the start to the frame ``tick``, which is counted across repetitions."""
        turn, place = divmod(tick, len(self.due_ms))
        return (turn * self.length_ms + self.due_ms[place] - self.due_ms[0]) / 1000

    @property
    def fps(self) -> float:
        return 1000 * len(self.due_ms) / self.length_ms

    def opening(self) -> bytes:
        """The metadata and the decoder configurations, sent before the first frame."""
        return b"".join(_chunks(tag, 0) for tag in self._headers)

    def _at(self, tick: int) -> bytes:
        """The chunks of the frame ``tick`` and its sound."""
        turn, place = divmod(tick, len(self._ticks))
        return b"".join(_chunks(tag, turn * self.length_ms) for tag in self._ticks[place])


def read_loop(path: Path) -> Loop:
    """Raises LabError."""
    return Loop(tuple(read_tags(path)))


def _ticks(media: Sequence[Tag]) -> list[list[Tag]]:
    """The tags for each frame, with the sound since the previous one. The last also has the sound after it."""
    ticks: list[list[Tag]] = [[]]
    for tag in media:
        ticks[-1].append(tag)
        if tag.type_id == VIDEO:
            ticks.append([])
    rest = ticks.pop()
    ticks[-1] += rest
    return ticks


def _chunks(tag: Tag, later_ms: int) -> bytes:
    data = encode("@setDataFrame") + tag.data if tag.type_id == SCRIPT else tag.data
    message = Message(tag.type_id, MESSAGE_STREAM, (tag.timestamp + later_ms) & 0xFFFFFFFF, data)
    return encode_message(CHUNK_STREAMS[tag.type_id], message, CHUNK_SIZE)
