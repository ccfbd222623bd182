"""Programs and players that read Headwater's streams: one file for each kind, all behind :class:`Reader`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Browser

from tests.interop.outcome import Case, Decoded, Format


@dataclass(frozen=True, slots=True)
class Source:
    """An address, and what is behind it."""

    url: str
    case: Case


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a reader works with: a ``directory`` of its own, and a ``browser`` that it opens if it needs one."""

    directory: Path
    browser: Callable[[], Browser]

    @property
    def log(self) -> Path:
        return self.directory / "log"


class Reader(Protocol):
    @property
    def name(self) -> str:
        """Unique; what the table calls it."""

    @property
    def formats(self) -> tuple[Format, ...]: ...

    def missing(self) -> str | None:
        """Which program is not installed, in words, or None."""

    def version(self) -> str: ...

    def read(self, source: Source, workspace: Workspace) -> Decoded:
        """Decode ``source.case.seconds`` seconds. A failure of the reader is fewer pictures, not an exception."""
