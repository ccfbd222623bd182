"""``list``, ``show``, ``kill``, ``switch``, ``drain``, ``reload``: live streams, and the server that has them."""

import sys
import time
from typing import Annotated

import typer
from rich.live import Live

from control.cli.client import ApiClient
from control.cli.options import ServerOptions, StreamArgument, seconds, with_server
from control.cli.output import console, print_done, print_json, print_json_line, show, until_stopped
from control.cli.tables import latency_table, stream_details, stream_table

REFRESH_S = 1.0


@with_server
def list_streams(
    options: ServerOptions,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Every second until Ctrl-C; with --json, a line each.")
    ] = False,
) -> None:
    """List every stream, live ones first."""
    with options.connect() as api:
        if watch:
            _keep_printing(api, options)
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
        str, typer.Option("--ban", metavar="DURATION", help="Refuse its publisher for this long: 60, 10m, 2h.")
    ] = "0",
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="The reason that its publisher gets.")
    ] = None,
) -> None:
    """End a live broadcast at once."""
    ban_s = seconds(ban, "--ban")
    body = {"ban_s": ban_s} | ({} if reason is None else {"reason": reason})
    with options.connect() as api:
        answer = api.post("streams", stream, "kill", body=body)
    banned = f" Its publisher is refused for {ban_s:g} s." if ban_s else ""
    print_done(answer, f"{stream} is off the air.{banned}", json_output=options.json_output)


@with_server
def switch(
    options: ServerOptions,
    stream: StreamArgument,
) -> None:
    """Put the other of two publishers on air: the backup, or the primary again."""
    with options.connect() as api:
        answer = api.post("streams", stream, "switch")
    print_done(
        answer, f"The {answer['to']} of {stream} goes on air at its next keyframe.", json_output=options.json_output
    )


@with_server
def drain(
    options: ServerOptions,
    grace: Annotated[
        str | None,
        typer.Option(
            "--grace",
            metavar="DURATION",
            help="Stop after this long, even if broadcasts are on air.",
            show_default="[rtmp] drain_grace",
        ),
    ] = None,
) -> None:
    """Take the server out of service: no new broadcasts, and a stop when those on air have ended."""
    body = {} if grace is None else {"grace_s": seconds(grace, "--grace")}
    with options.connect() as api:
        answer = api.post("drain", body=body)
    count, left_s = answer["on_air"], answer["grace_left_s"]
    on_air = f"{count or 'None'} {'is' if count < 2 else 'are'} on air"
    print_done(
        answer,
        f"The server accepts no new broadcasts. {on_air}; it stops when all have ended, or in {left_s:g} s.",
        json_output=options.json_output,
    )


@with_server
def reload(options: ServerOptions) -> None:
    """Read the server's configuration again; nobody on air is disconnected."""
    with options.connect() as api:
        answer = api.post("reload")
    lines = [
        f"{words}: {', '.join(names)}."
        for words, names in (("In force now", answer["applied"]), ("Needs a restart", answer["restart"]))
        if names
    ]
    print_done(answer, "\n".join(lines) or "Nothing has changed.", json_output=options.json_output)


def _keep_printing(api: ApiClient, options: ServerOptions) -> None:
    """A table that changes on a terminal; elsewhere a table or a line of JSON each time."""
    with until_stopped():
        while options.json_output or not console().is_terminal:
            streams = api.get("streams")
            if options.json_output:
                print_json_line(streams)
            else:
                show(stream_table(streams))
                sys.stdout.flush()
            time.sleep(REFRESH_S)
        with Live(stream_table(api.get("streams")), console=console(), auto_refresh=False) as live:
            while True:
                time.sleep(REFRESH_S)
                live.update(stream_table(api.get("streams")), refresh=True)
