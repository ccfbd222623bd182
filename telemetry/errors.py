"""The declared errors of this package.

- ``TelemetryError``
    - ``TracingNotInstalled``: traces are configured, and OpenTelemetry's SDK is not installed
"""

from typing import ClassVar

from media.errors import HeadwaterError


class TelemetryError(HeadwaterError):
    """Base of this package's errors."""

    code: ClassVar[str] = "telemetry"


class TracingNotInstalled(TelemetryError):
    code: ClassVar[str] = "tracing-not-installed"
