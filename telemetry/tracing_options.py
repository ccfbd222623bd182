"""Where traces go, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telemetry.errors import TracingNotInstalled

if TYPE_CHECKING:
    from telemetry.otlp import Export

NOT_INSTALLED = (
    "[tracing] endpoint is set, but OpenTelemetry is not installed ({module} is missing): install it with "
    "`pip install 'headwater[tracing]'`, in a checkout with "
    "`.venv/bin/pip install --require-hashes -r requirements-tracing.lock`, or remove endpoint"
)


@dataclass(frozen=True, slots=True)
class TracingOptions:
    """``endpoint`` is the base URL of OTLP over HTTP. ``headers`` are secret."""

    endpoint: str
    sample: float
    service_name: str
    version: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def open_export(options: TracingOptions) -> Export:
    """Imports OpenTelemetry, which is an extra and takes a moment. Raises TracingNotInstalled."""
    check_installed()
    from telemetry.otlp import Export

    return Export(options)


def check_installed() -> None:
    """Raises TracingNotInstalled."""
    try:
        import telemetry.otlp  # noqa: F401
    except ModuleNotFoundError as error:
        raise TracingNotInstalled(NOT_INSTALLED.format(module=error.name)) from error
