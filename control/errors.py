"""The declared errors of the composition root.

- ``ControlError``
    - ``ConfigError`` (:mod:`control.config.errors`): the configuration has faults
    - ``CliError`` (:mod:`control.cli.errors`): a command failed or the server refused it
    - ``ListenFailed`` (:mod:`control.listening`): a port cannot be opened
    - ``DataDirError`` (:mod:`control.datadir`): the data directory cannot be used
    - ``ServiceFailed`` (:mod:`control.hooks.on_publish`): the operator's service gave no valid answer
    - ``DemoError`` (:mod:`control.demo.errors`): the synthetic broadcaster cannot run
"""

from typing import ClassVar

from media.errors import HeadwaterError


class ControlError(HeadwaterError):
    """Base of this package's errors."""

    code: ClassVar[str] = "control"
