"""``broadcasts``: a stream's recordings: list, keep and delete them."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from control.cli.errors import CliError
from control.cli.options import ServerOptions, StreamArgument, with_server
from control.cli.output import print_done, print_json, show
from control.cli.tables import broadcast_table, sweep_table

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._click.shell_completion import CompletionItem

LIST = "list"
BroadcastArgument = Annotated[str, typer.Argument(metavar="BROADCAST", help="The broadcast's id.")]


class ListByDefault(TyperGroup):
    """``broadcasts STREAM`` is ``broadcasts list STREAM``."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [LIST, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: "Context", incomplete: str) -> "list[CompletionItem]":
        listing = self.commands[LIST]
        with listing.make_context(LIST, [], parent=ctx, resilient_parsing=True) as inner:
            (stream,) = (each for each in listing.params if each.name == "stream")
            streams = stream.shell_complete(inner, incomplete)
        return [*super().shell_complete(ctx, incomplete), *streams]


broadcasts = typer.Typer(help="List a stream's recordings, keep and delete them.", cls=ListByDefault)


@with_server
def list_broadcasts(
    options: ServerOptions,
    stream: StreamArgument,
) -> None:
    """List a stream's broadcasts with length, size and links; so does `broadcasts STREAM`."""
    with options.connect() as api:
        listed = api.get("streams", stream, "broadcasts")
    if options.json_output:
        print_json(listed)
    else:
        show(broadcast_table(listed, stream))


@with_server
def delete_broadcast(
    options: ServerOptions,
    stream: StreamArgument,
    broadcast: BroadcastArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a recording. Its media is removed in the background."""
    with options.connect() as api:
        if not yes:
            if not sys.stdin.isatty():
                raise CliError(f"{broadcast} is not deleted without confirmation: add --yes")
            typer.confirm(f"Delete the recording {broadcast} of {stream}?", abort=True, err=True)
        api.delete("streams", stream, "broadcasts", broadcast)
    answer = {"stream": stream, "broadcast": broadcast, "deleted": True}
    print_done(answer, f"{broadcast} is deleted.", json_output=options.json_output)


@with_server
def keep_broadcast(
    options: ServerOptions,
    stream: StreamArgument,
    broadcast: BroadcastArgument,
    release: Annotated[bool, typer.Option("--release", help="Keep it no more.")] = False,
) -> None:
    """Keep a recording: neither a retention nor `broadcasts delete` deletes it."""
    path = ("streams", stream, "broadcasts", broadcast, "keep")
    with options.connect() as api:
        if release:
            api.delete(*path)
        else:
            api.put(*path)
    answer = {"stream": stream, "broadcast": broadcast, "kept": not release}
    sentence = f"{broadcast} is kept no more." if release else f"{broadcast} is kept."
    print_done(answer, sentence, json_output=options.json_output)


@with_server
def sweep(
    options: ServerOptions,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be deleted.")] = False,
) -> None:
    """Delete the recordings that no retention covers, as the server does every hour."""
    with options.connect() as api:
        answer: dict[str, Any] = api.post("sweep", body={"dry_run": dry_run})
    if options.json_output:
        print_json(answer)
    elif not answer["recordings"]:
        show(Text("No recording has to go."))
    else:
        show(sweep_table(answer["recordings"], dry_run=dry_run))


broadcasts.command(LIST)(list_broadcasts)
broadcasts.command("keep")(keep_broadcast)
broadcasts.command("delete")(delete_broadcast)
broadcasts.command("sweep")(sweep)
