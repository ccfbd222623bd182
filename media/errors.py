"""The root of Headwater's declared errors.

Each package has a base class below :class:`HeadwaterError`. The leaves below it distinguish errors of the peer, our
own errors and exceeded limits. Every leaf has a stable ``code`` for metrics, the CLI and the API.
"""

from typing import ClassVar


class HeadwaterError(Exception):
    """A declared error. ``code`` is stable and lower-case with dashes; ``str()`` is a sentence for people."""

    code: ClassVar[str] = "error"


class MediaError(HeadwaterError):
    """Base of this package's errors: a peer's bytes do not follow the codec's specification."""

    code: ClassVar[str] = "media"


class MalformedConfig(MediaError):
    """A decoder configuration record, parameter set or frame header that cannot be read."""

    code: ClassVar[str] = "malformed-config"


class UnsupportedConfig(MediaError):
    """A configuration that is well formed but that Headwater does not carry; the text names it."""

    code: ClassVar[str] = "unsupported-config"
