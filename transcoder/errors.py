"""The transcoder's errors.

::

    HeadwaterError
    └── TranscoderError
        ├── EncoderUnavailable     this machine cannot open the encoder that the configuration names
        ├── DecoderUnavailable     the source's codec cannot be decoded
        ├── ImageUnusable          the operator's image cannot be shown
        ├── WorkerUnavailable      the child process could not be started
        └── ProtocolViolation      the other side of the pipe sent something that is not a valid message
"""

from typing import ClassVar

from media.errors import HeadwaterError


class TranscoderError(HeadwaterError):
    """Base of this package's errors."""

    code: ClassVar[str] = "transcoder"


class EncoderUnavailable(TranscoderError):
    code: ClassVar[str] = "encoder-unavailable"


class DecoderUnavailable(TranscoderError):
    code: ClassVar[str] = "decoder-unavailable"


class ImageUnusable(TranscoderError):
    code: ClassVar[str] = "image-unusable"


class WorkerUnavailable(TranscoderError):
    code: ClassVar[str] = "worker-unavailable"


class ProtocolViolation(TranscoderError):
    code: ClassVar[str] = "transcoder-protocol"
