"""The one error of this package."""

from typing import ClassVar

from control.errors import ControlError


class ConfigError(ControlError):
    """The configuration is refused: a line for each fault, with its place and what to write instead."""

    code: ClassVar[str] = "bad-config"
