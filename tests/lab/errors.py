"""Why a test or a benchmark cannot run."""

from typing import ClassVar

from media.errors import HeadwaterError


class LabError(HeadwaterError):
    """A server, publisher or file cannot be used; the text states what to do."""

    code: ClassVar[str] = "lab"
