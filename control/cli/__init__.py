"""The command ``headwater``.

Exit codes: 0 success, 1 refused or failed, 2 wrong usage. Data goes to standard output, errors to standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from control.cli.app import app
from control.cli.output import print_error
from media.errors import HeadwaterError

if TYPE_CHECKING:
    import httpx

__all__ = ["app", "main"]


def main(arguments: Sequence[str] | None = None, transport: httpx.BaseTransport | None = None) -> int:
    """Run one command and return its exit code. Tests replace the ``transport``."""
    try:
        app(args=arguments, prog_name="headwater", obj=transport)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except HeadwaterError as error:
        print_error(str(error))
        return 1
    return 0
