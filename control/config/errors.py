"""The error of this package."""

from typing import ClassVar

from control.errors import ControlError


class ConfigError(ControlError):
    """The configuration has faults: a line for each, with its place and what to write instead."""

    code: ClassVar[str] = "bad-config"
