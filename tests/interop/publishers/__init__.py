"""Programs that publish to Headwater: one file for each kind, all behind :class:`Publisher`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Target:
    """Where to publish, and what: ``rtmp`` is the Server line and ``key`` the stream key; ``clip`` is an FLV file
    of H.264 and AAC; ``directory`` is the publisher's own."""

    rtmp: str
    key: str
    clip: Path
    directory: Path

    @property
    def url(self) -> str:
        return f"{self.rtmp}/{self.key}"

    @property
    def log(self) -> Path:
        return self.directory / "log"


class Publisher(Protocol):
    @property
    def name(self) -> str:
        """Unique; what the table calls it."""

    @property
    def codecs(self) -> str:
        """What it sends, in words."""

    @property
    def refused(self) -> bool:
        """Whether Headwater does not take these codecs, so that it must refuse the publisher in words."""

    def missing(self) -> str | None:
        """Which program is not installed, in words, or None."""

    def version(self) -> str: ...

    def publish(self, target: Target) -> None:
        """Publish for ``PUBLISHED_S`` seconds in real time, and end."""
