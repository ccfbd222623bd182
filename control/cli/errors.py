"""The errors that end a command with exit code 1."""

from typing import ClassVar

from control.errors import ControlError


class CliError(ControlError):
    """A command failed or the server refused it; the text explains what to do."""

    code: ClassVar[str] = "command-failed"


class ServerUnreachable(CliError):
    """No Headwater answers at the address."""

    code: ClassVar[str] = "server-unreachable"


class Refused(CliError):
    """The server refused the request; the text is the detail of its problem document (RFC 9457)."""
