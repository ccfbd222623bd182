"""A server that somebody else made, writing HLS of what is published to it to the disk."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HlsFiles:
    """``pid`` is of its first process; ``playlists`` is where STREAM.m3u8 lies, with its segments."""

    pid: int
    rtmp: str
    playlists: Path

    def publish(self, stream: str) -> str:
        return f"{self.rtmp}/{stream}"
