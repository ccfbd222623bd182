"""An endlessly repeated clip as RTMP messages, each at its time.

All publishers send the same bytes for the same message, so these are encoded only once.
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
KEPT_MESSAGES = 1024


class Loop:
    """Messages are counted across repetitions. ``length_ms`` is the duration of one repetition."""

    def __init__(self, tags: Sequence[Tag], chunk_size: int = CHUNK_SIZE) -> None:
        media = [tag for tag in tags if not tag.is_header and not tag.is_end]
        pictures = [tag.timestamp for tag in media if tag.type_id == VIDEO]
        if len(pictures) < 2:
            raise LabError("the clip has no pictures to publish")
        self._first, frames = pictures[0], len(pictures)
        self.length_ms = round((pictures[-1] - self._first) * frames / (frames - 1))
        self.fps = 1000 * frames / self.length_ms
        self._headers = [tag for tag in tags if tag.is_header]
        kept = [tag for tag in media if tag.timestamp < self._first + self.length_ms]
        self._media = sorted(kept, key=lambda tag: tag.timestamp)
        self._chunk_size = chunk_size
        self.at = lru_cache(KEPT_MESSAGES)(self._at)

    def __len__(self) -> int:
        """The messages of one repetition."""
        return len(self._media)

    def due(self, number: int) -> float:
        """Seconds from the start to the message ``number``."""
        turn, place = divmod(number, len(self._media))
        return (turn * self.length_ms + self._media[place].timestamp - self._first) / 1000

    def is_picture(self, number: int) -> bool:
        return self._media[number % len(self._media)].type_id == VIDEO

    def opening(self) -> bytes:
        """The metadata and the decoder configurations, sent before the first message."""
        return b"".join(self._chunks(tag, 0) for tag in self._headers)

    def _at(self, number: int) -> bytes:
        """The chunks of the message ``number``."""
        turn, place = divmod(number, len(self._media))
        return self._chunks(self._media[place], turn * self.length_ms)

    def _chunks(self, tag: Tag, later_ms: int) -> bytes:
        data = encode("@setDataFrame") + tag.data if tag.type_id == SCRIPT else tag.data
        message = Message(tag.type_id, MESSAGE_STREAM, (tag.timestamp + later_ms) & 0xFFFFFFFF, data)
        return encode_message(CHUNK_STREAMS[tag.type_id], message, self._chunk_size)


def read_loop(path: Path, chunk_size: int = CHUNK_SIZE) -> Loop:
    """Raises LabError."""
    return Loop(tuple(read_tags(path)), chunk_size)
