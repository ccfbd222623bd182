"""The error of the synthetic broadcaster."""

from typing import ClassVar

from control.errors import ControlError


class DemoError(ControlError):
    """The synthetic broadcaster cannot run; the text gives the reason."""

    code: ClassVar[str] = "demo"
