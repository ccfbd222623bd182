"""``version``."""

import platform

from control.cli.options import Json
from control.cli.output import print_json
from control.version import version


def print_version(json_output: Json = False) -> None:
    """Print the version of Headwater."""
    if json_output:
        print_json({"version": version(), "python": platform.python_version()})
    else:
        print(f"headwater {version()}")
