"""``create``, ``rotate-key``, ``delete``: streams and their keys."""

import sys
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from control.cli.errors import CliError
from control.cli.options import ServerOptions, StreamArgument, with_server
from control.cli.output import print_json, show


@with_server
def create(
    options: ServerOptions,
    stream: StreamArgument,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="The title above the picture.")
    ] = None,
    ladder: Annotated[
        str | None,
        typer.Option(
            "--ladder", metavar="auto|source", help="The renditions to make; without it, the configuration's."
        ),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Viewers need a token; `headwater token` makes one.")
    ] = False,
) -> None:
    """Create a stream and print its server and key. The key is shown only once."""
    options_by_name = (("title", title), ("ladder", ladder), ("private", private or None))
    settings = {name: value for name, value in options_by_name if value is not None}
    with options.connect() as api:
        answer = api.post("streams", body={"stream": stream, **settings})
    _print_key(answer, options)


@with_server
def rotate_key(
    options: ServerOptions,
    stream: StreamArgument,
) -> None:
    """Give a stream a new key; the old one is refused from now on."""
    with options.connect() as api:
        answer = api.post("streams", stream, "rotate-key")
    _print_key(answer, options)


@with_server
def delete(
    options: ServerOptions,
    stream: StreamArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a stream and its key; a broadcast on it is ended first."""
    with options.connect() as api:
        if not yes:
            if not sys.stdin.isatty():
                raise CliError(f"{stream} is not deleted without confirmation: add --yes")
            typer.confirm(f"Delete the stream {stream}?", abort=True, err=True)
        api.delete("streams", stream)
    if options.json_output:
        print_json({"stream": stream, "deleted": True})
    else:
        show(Text(f"{stream} is deleted."))


def _print_key(answer: dict[str, Any], options: ServerOptions) -> None:
    if options.json_output:
        print_json(answer)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for label, field in (("Server", "server"), ("Stream Key", "key"), ("Watch", "watch")):
        table.add_row(Text(label, style="bold"), Text(answer[field], overflow="fold"))
    show(table, Text("The key is not shown again; `headwater rotate-key` makes a new one.", style="dim"))
