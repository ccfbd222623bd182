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


class MediaLimit(HeadwaterError):
    """Base of the limits on what one publisher may send. The publication must end, and the publisher gets the text.

    It is no MediaError: a frame beyond such a limit is not merely dropped.
    """

    code: ClassVar[str] = "media-limit"


class TooManyNalUnits(MediaLimit):
    """More NAL units, or more parameter sets, than a picture has."""

    code: ClassVar[str] = "too-many-nal-units"


class PictureTooLarge(MediaLimit):
    """Parameter sets that describe larger pictures than the server takes."""

    code: ClassVar[str] = "picture-too-large"


class TooManyConfigurations(MediaLimit):
    """The configuration of a track changes again and again."""

    code: ClassVar[str] = "too-many-configurations"


class TooMuchMedia(MediaLimit):
    """More bytes than the server keeps until a broadcast, or its next segment, begins."""

    code: ClassVar[str] = "too-much-media"
