"""What a worker process may use. It gets the limits as arguments of its command."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from media.limits import MAX_PIXELS


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """``max_memory`` is bytes of address space, which includes libraries and the stacks of threads; None is no
    limit. ``max_pixels`` is the luma samples of a picture that a decoder accepts."""

    max_memory: int | None = None
    max_pixels: int = MAX_PIXELS

    def arguments(self) -> list[str]:
        return [str(self.max_memory or 0), str(self.max_pixels)]

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """The limits in the first two ``arguments``; those that are missing have their defaults."""
        if len(arguments) < 2:
            return cls()
        return cls(int(arguments[0]) or None, int(arguments[1]))
