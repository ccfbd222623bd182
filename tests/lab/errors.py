"""Why a test or a benchmark cannot run."""

from typing import ClassVar

from media.errors import HeadwaterError


class LabError(HeadwaterError):
    """A server, a publisher or a file that takes part cannot be used; the text names what to do."""

    code: ClassVar[str] = "lab"
