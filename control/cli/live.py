"""``list``, ``show``, ``kill``, ``broadcasts``: what is live and what was."""

import time

import typer
from rich.live import Live
from rich.text import Text

from control.cli.client import ApiClient
from control.cli.options import DEFAULT_DATA, Data, Json, Server, StreamArgument, Token, connect
from control.cli.output import console, print_json, show
from control.cli.tables import broadcast_table, latency_table, stream_details, stream_table

REFRESH_S = 1.0


def list_streams(
    context: typer.Context,
    watch: bool = typer.Option(False, "--watch", "-w", help="Keep it on screen until Ctrl-C."),
    json_output: Json = False,
    server: Server = None,
    token: Token = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """List every stream, live ones first."""
    if watch and json_output:
        raise typer.BadParameter("--watch is for the screen; without it, --json prints the list once")
    with connect(context, server, token, data) as api:
        if watch:
            _keep_on_screen(api)
            return
        streams = api.get("streams")
    if json_output:
        print_json(streams)
    else:
        show(stream_table(streams))


def show_stream(
    context: typer.Context,
    stream: StreamArgument,
    latency: bool = typer.Option(False, "--latency", help="Where time goes between a frame's arrival and viewers."),
    json_output: Json = False,
    server: Server = None,
    token: Token = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show everything about one stream, with warnings in words."""
    with connect(context, server, token, data) as api:
        status = api.get("streams", stream)
    if json_output:
        print_json(status)
    elif latency:
        show(latency_table(status))
    else:
        show(stream_details(status))


def kill(
    context: typer.Context,
    stream: StreamArgument,
    ban: float = typer.Option(0.0, "--ban", metavar="SECONDS", min=0, help="Refuse its publisher for this long."),
    reason: str | None = typer.Option(None, "--reason", metavar="TEXT", help="What its publisher is told."),
    json_output: Json = False,
    server: Server = None,
    token: Token = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """End a live broadcast at once."""
    body = {"ban_s": ban} | ({} if reason is None else {"reason": reason})
    with connect(context, server, token, data) as api:
        answer = api.post("streams", stream, "kill", body=body)
    if json_output:
        print_json(answer)
    else:
        banned = f" Its publisher is refused for {ban:g} s." if ban else ""
        show(Text(f"{stream} is off the air.{banned}"))


def broadcasts(
    context: typer.Context,
    stream: StreamArgument,
    json_output: Json = False,
    server: Server = None,
    token: Token = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """List a stream's broadcasts with length, size and links."""
    with connect(context, server, token, data) as api:
        listed = api.get("streams", stream, "broadcasts")
    if json_output:
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
