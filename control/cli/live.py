"""``list``, ``show``, ``kill``, ``broadcasts``: live streams and past broadcasts."""

import time
from typing import Annotated

import typer
from rich.live import Live
from rich.text import Text

from control.cli.client import ApiClient
from control.cli.options import ServerOptions, StreamArgument, with_server
from control.cli.output import console, print_json, show
from control.cli.tables import broadcast_table, latency_table, stream_details, stream_table

REFRESH_S = 1.0


@with_server
def list_streams(
    options: ServerOptions,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep it on screen until Ctrl-C.")] = False,
) -> None:
    """List every stream, live ones first."""
    if watch and options.json_output:
        raise typer.BadParameter("--watch is for the screen; without it, --json prints the list once")
    with options.connect() as api:
        if watch:
            _keep_on_screen(api)
            return
        streams = api.get("streams")
    if options.json_output:
        print_json(streams)
    else:
        show(stream_table(streams))


@with_server
def show_stream(
    options: ServerOptions,
    stream: StreamArgument,
    latency: Annotated[
        bool, typer.Option("--latency", help="Show the delays between a frame's arrival and viewers.")
    ] = False,
) -> None:
    """Show everything about one stream, with warnings in words."""
    with options.connect() as api:
        status = api.get("streams", stream)
    if options.json_output:
        print_json(status)
    elif latency:
        show(latency_table(status))
    else:
        show(stream_details(status))


@with_server
def kill(
    options: ServerOptions,
    stream: StreamArgument,
    ban: Annotated[
        float, typer.Option("--ban", metavar="SECONDS", min=0, help="Refuse its publisher for this long.")
    ] = 0.0,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="The reason that its publisher gets.")
    ] = None,
) -> None:
    """End a live broadcast at once."""
    body = {"ban_s": ban} | ({} if reason is None else {"reason": reason})
    with options.connect() as api:
        answer = api.post("streams", stream, "kill", body=body)
    if options.json_output:
        print_json(answer)
    else:
        banned = f" Its publisher is refused for {ban:g} s." if ban else ""
        show(Text(f"{stream} is off the air.{banned}"))


@with_server
def broadcasts(
    options: ServerOptions,
    stream: StreamArgument,
) -> None:
    """List a stream's broadcasts with length, size and links."""
    with options.connect() as api:
        listed = api.get("streams", stream, "broadcasts")
    if options.json_output:
        print_json(listed)
    else:
        show(broadcast_table(listed, stream))


def _keep_on_screen(api: ApiClient) -> None:
    try:
        with Live(stream_table(api.get("streams")), console=console(), auto_refresh=False) as live:
            while True:
                time.sleep(REFRESH_S)
                live.update(stream_table(api.get("streams")), refresh=True)
    except KeyboardInterrupt:
        return
