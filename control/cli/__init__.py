"""The command ``headwater``.

Exit codes: 0 success, 1 refused or failed, 2 wrong usage. Data goes to standard output, errors to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from control.cli.app import app
from control.cli.output import print_error, print_usage_error
from control.cli.usage import UsageError, explain, how_to_call
from control.standard_streams import open_standard_streams
from media.errors import HeadwaterError

if TYPE_CHECKING:
    import httpx

__all__ = ["app", "main"]


def main(arguments: Sequence[str] | None = None, transport: httpx.BaseTransport | None = None) -> int:
    """Run one command and return its exit code. Tests replace the ``transport``."""
    open_standard_streams()
    json_output = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(args=arguments, prog_name="headwater", obj=transport, standalone_mode=False)
    except SystemExit as end:
        # Shell completion ends so.
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except UsageError as error:
        print_usage_error(explain(error), how_to_call(error), json_output=json_output)
        return 2
    except typer.Abort:
        print_error("nothing was done", code="aborted", json_output=json_output)
        return 1
    except HeadwaterError as error:
        print_error(str(error), code=error.code, json_output=json_output)
        return 1
    return code if isinstance(code, int) else 0
