"""The options that several commands share, and the session that they lead to."""

from pathlib import Path
from typing import Annotated

import typer

from control.cli.client import ApiClient
from control.cli.target import find_target

StreamArgument = Annotated[str, typer.Argument(metavar="STREAM", help="The stream's name, such as studio-a.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        envvar="HEADWATER_SERVER",
        help="The server to talk to; without it, the one that runs on the data directory.",
        show_default=False,
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        envvar="HEADWATER_TOKEN",
        help="The REST API's token; better in HEADWATER_TOKEN, since others may see command lines.",
        show_default=False,
    ),
]
Data = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", envvar="HEADWATER_DATA", help="The data directory."),
]
DEFAULT_DATA = Path("data")


def connect(context: typer.Context, server: str | None, token: str | None, data: Path) -> ApiClient:
    """The client for a command. The context's object, where one is given, is the transport to use (tests do)."""
    return ApiClient(find_target(server, token, data), context.obj)
