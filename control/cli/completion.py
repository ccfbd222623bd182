"""Completion of stream names in a shell, from the server that the command would use."""

import typer

from control.cli.client import ApiClient
from control.cli.target import find_target
from media.errors import HeadwaterError

# Someone has pressed a key and waits.
TIMEOUT_S = 0.4


def complete_stream(context: typer.Context, incomplete: str) -> list[str]:
    """The names that begin with ``incomplete``; none if no server answers at once."""
    options = context.params
    try:
        target = find_target(options["server"], options["token"], options["data"])
        with ApiClient(target, context.obj, timeout_s=TIMEOUT_S) as api:
            return [stream["stream"] for stream in api.get("streams") if stream["stream"].startswith(incomplete)]
    except HeadwaterError:
        return []
