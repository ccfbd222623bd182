"""``create``, ``set``, ``rotate-key``, ``backup-key``, ``delete``: streams, their settings and keys."""

import sys
from typing import Annotated, Any

import typer
from rich.text import Text

from control.cli.errors import CliError
from control.cli.ladder import FORM, parse_ladder
from control.cli.layout import facts
from control.cli.options import NewStreamArgument, ServerOptions, StreamArgument, seconds, with_server
from control.cli.output import print_done, print_json, show
from control.cli.retention import FORM as RETENTION_FORM
from control.cli.retention import parse_retention
from media.ladder import WORDS
from media.slate import SlateMode

RECONNECT = "--reconnect-window"
RETENTION = "--retention"
DEFAULT = "default"
SLATES = ", ".join(SlateMode)


@with_server
def create(
    options: ServerOptions,
    stream: NewStreamArgument,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="The title above the picture.")
    ] = None,
    ladder: Annotated[
        str | None,
        typer.Option(
            "--ladder",
            metavar="LADDER",
            help=f"The renditions to make: {FORM}. Without it, the configuration's.",
        ),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Viewers need a token; `headwater token` makes one.")
    ] = False,
    reconnect_window: Annotated[
        str | None,
        typer.Option(
            RECONNECT,
            metavar="DURATION",
            help="Its publisher continues the broadcast within this time: 90, 5m. Without it, the configuration's.",
        ),
    ] = None,
    slate: Annotated[
        SlateMode | None,
        typer.Option(
            "--slate",
            metavar="SLATE",
            help=f"What viewers see while its publisher is away: {SLATES}. Without it, the configuration's.",
        ),
    ] = None,
    retention: Annotated[
        str | None,
        typer.Option(
            RETENTION,
            metavar="LIMITS",
            help=f"Which of its recordings stay: {RETENTION_FORM}. Without it, the configuration's.",
        ),
    ] = None,
) -> None:
    """Create a stream and print its server and key. The key is shown only once."""
    settings: dict[str, Any] = {"private": True} if private else {}
    if title is not None:
        settings["title"] = title
    if ladder is not None:
        settings["ladder"] = parse_ladder(ladder, words=WORDS)
    if reconnect_window is not None:
        settings["reconnect_window_s"] = seconds(reconnect_window, RECONNECT)
    if slate is not None:
        settings["slate"] = slate.value
    if retention is not None:
        settings["retention"] = parse_retention(retention, RETENTION)
    with options.connect() as api:
        answer = api.post("streams", body={"stream": stream, **settings})
    _print_key(answer, options)


@with_server
def change(
    options: ServerOptions,
    stream: StreamArgument,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help='The title above the picture; "" removes it.')
    ] = None,
    ladder: Annotated[
        str | None,
        typer.Option(
            "--ladder", metavar="LADDER", help=f"The renditions: default for the configuration's, {FORM}."
        ),
    ] = None,
    private: Annotated[
        bool | None, typer.Option("--private/--public", help="Whether viewers need a token.", show_default=False)
    ] = None,
    reconnect_window: Annotated[
        str | None,
        typer.Option(
            RECONNECT,
            metavar="DURATION",
            help="Its publisher continues the broadcast within this time: default for the configuration's, 90, 5m.",
        ),
    ] = None,
    slate: Annotated[
        str | None,
        typer.Option(
            "--slate",
            metavar="SLATE",
            help=f"What viewers see while its publisher is away: default for the configuration's, {SLATES}.",
        ),
    ] = None,
    retention: Annotated[
        str | None,
        typer.Option(
            RETENTION,
            metavar="LIMITS",
            help=f"Which of its recordings stay: default for the configuration's, {RETENTION_FORM}.",
        ),
    ] = None,
) -> None:
    """Change a stream's settings. Ladder, reconnect window and slate apply from the next broadcast on, and the
    retention from the next sweep."""
    changes: dict[str, Any] = {}
    if title is not None:
        changes["title"] = title
    if ladder is not None:
        changes["ladder"] = parse_ladder(ladder, words=(*WORDS, DEFAULT))
    if private is not None:
        changes["private"] = private
    if reconnect_window is not None:
        own = None if reconnect_window == DEFAULT else seconds(reconnect_window, RECONNECT)
        changes["reconnect_window_s"] = own
    if slate is not None:
        changes["slate"] = None if slate == DEFAULT else _slate_mode(slate)
    if retention is not None:
        changes["retention"] = None if retention == DEFAULT else parse_retention(retention, RETENTION)
    if not changes:
        options_words = f"--title, --ladder, --private, --public, {RECONNECT}, --slate or {RETENTION}"
        raise typer.BadParameter(f"nothing to change: give {options_words}")
    with options.connect() as api:
        answer = api.patch("streams", stream, body=changes)
    print_done(answer, f"{stream} is changed: {', '.join(sorted(changes))}.", json_output=options.json_output)


def _slate_mode(text: str) -> str:
    """Raises BadParameter."""
    if text not in [*SlateMode]:
        raise typer.BadParameter(f"--slate {text}: it must be {DEFAULT}, {SLATES}")
    return text


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
def backup_key(
    options: ServerOptions,
    stream: StreamArgument,
    remove: Annotated[bool, typer.Option("--remove", help="Remove it: it is refused from now on.")] = False,
) -> None:
    """Give a stream a key for a second encoder, which takes over if the first one stalls; an old one is refused."""
    with options.connect() as api:
        if not remove:
            _print_key(api.post("streams", stream, "backup-key"), options, again="headwater backup-key")
            return
        api.delete("streams", stream, "backup-key")
    print_done(
        {"stream": stream, "removed": True},
        f"{stream} has no backup key any more.",
        json_output=options.json_output,
    )


@with_server
def delete(
    options: ServerOptions,
    stream: StreamArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Delete all its recordings too, also kept ones, in the background.")
    ] = False,
) -> None:
    """Delete a stream and its key; a broadcast on it is ended first. With --purge, also of a deleted stream."""
    with options.connect() as api:
        if not yes:
            if not sys.stdin.isatty():
                raise CliError(f"{stream} is not deleted without confirmation: add --yes")
            what = f"the stream {stream} and all its recordings" if purge else f"the stream {stream}"
            typer.confirm(f"Delete {what}?", abort=True, err=True)
        api.delete("streams", stream, query={"purge": True} if purge else None)
    sentence = f"{stream} is deleted, and its recordings are being deleted." if purge else f"{stream} is deleted."
    print_done({"stream": stream, "deleted": True}, sentence, json_output=options.json_output)


def _print_key(answer: dict[str, Any], options: ServerOptions, *, again: str = "headwater rotate-key") -> None:
    """``again`` is the command that makes a new key."""
    if options.json_output:
        print_json(answer)
        return
    rows = (("Server", answer["server"]), ("Stream Key", answer["key"]), ("Watch", answer["watch"]))
    show(facts(rows), Text(f"The key is not shown again; `{again}` makes a new one.", style="dim"))
