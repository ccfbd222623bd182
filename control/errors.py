"""The declared errors of the composition root.

- ``ControlError``
    - ``ConfigError`` (:mod:`control.config.errors`): the configuration is not understood
    - ``CliError`` (:mod:`control.cli.errors`): a command was refused or could not be carried out
    - ``ListenFailed`` (:mod:`control.listening`): a port cannot be opened
    - ``DataDirError`` (:mod:`control.datadir`): the data directory cannot be used
    - ``DemoError`` (:mod:`control.demo`): the synthetic broadcaster cannot run
"""

from typing import ClassVar

from media.errors import HeadwaterError


class ControlError(HeadwaterError):
    """Base of what this package raises."""

    code: ClassVar[str] = "control"
