"""``create``, ``rotate-key``, ``delete``: the streams themselves."""

import sys
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from control.cli.errors import CliError
from control.cli.options import DEFAULT_DATA, Data, Json, Server, StreamArgument, Token, connect
from control.cli.output import print_json, show


def create(
    context: typer.Context,
    stream: StreamArgument,
    title: str | None = typer.Option(None, "--title", metavar="TEXT", help="What viewers read above the picture."),
    ladder: str | None = typer.Option(
        None, "--ladder", metavar="auto|source", help="The renditions to make; without it, the configuration's."
    ),
    private: bool = typer.Option(False, "--private", help="Viewers need a token; `headwater token` makes one."),
    json_output: Json = False,
    server: Server = None,
    token: Token = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a stream and print its server and key. The key is shown this once."""
    given = (("title", title), ("ladder", ladder), ("private", private or None))
    settings = {name: value for name, value in given if value is not None}
    with connect(context, server, token, data) as api:
        answer = api.post("streams", body={"stream": stream, **settings})
    _print_key(answer, json_output)


def rotate_key(
    context: typer.Context,
    stream: StreamArgument,
    json_output: Json = False,
    server: Server = None,
    token: Token = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Give a stream a new key; the old one is refused from now on."""
    with connect(context, server, token, data) as api:
        answer = api.post("streams", stream, "rotate-key")
    _print_key(answer, json_output)


def delete(
    context: typer.Context,
    stream: StreamArgument,
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    json_output: Json = False,
    server: Server = None,
    token: Token = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Delete a stream and its key; a broadcast on it is ended first."""
    with connect(context, server, token, data) as api:
        if not yes:
            if not sys.stdin.isatty():
                raise CliError(f"{stream} is not deleted without being asked: add --yes")
            typer.confirm(f"Delete the stream {stream}?", abort=True, err=True)
        api.delete("streams", stream)
    if json_output:
        print_json({"stream": stream, "deleted": True})
    else:
        show(Text(f"{stream} is deleted."))


def _print_key(answer: dict[str, Any], json_output: bool) -> None:
    if json_output:
        print_json(answer)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for label, field in (("Server", "server"), ("Stream Key", "key"), ("Watch", "watch")):
        table.add_row(Text(label, style="bold"), Text(answer[field], overflow="fold"))
    show(table, Text("The key is not shown again; `headwater rotate-key` makes a new one.", style="dim"))
