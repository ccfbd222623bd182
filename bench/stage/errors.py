"""What keeps a benchmark from running."""

from typing import ClassVar

from media.errors import HeadwaterError


class BenchError(HeadwaterError):
    """Something that takes part cannot run; the text says what to do."""

    code: ClassVar[str] = "bench"
