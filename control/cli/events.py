"""``events``: what happened to a broadcast."""

import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from control.cli.client import ApiClient
from control.cli.options import ServerOptions, StreamArgument, with_server
from control.cli.output import print_json, print_json_line, show, until_stopped
from control.cli.text import JsonObject, clean, moment

# Seconds that one request waits for an event: less than the client waits for an answer.
WAIT_S = 10
# Seconds between two requests if the server does not wait, because the broadcast is ending.
PAUSE_S = 1.0
# The longest moment and the longest code: the rows of --follow are printed one by one, and align.
TIME_WIDTH, CODE_WIDTH = 23, 19

GOOD, BAD = "green", "yellow"
STYLES = {
    "started": "bold green",
    "publisher-returned": GOOD,
    "store-back": GOOD,
    "warning-over": GOOD,
    "ended": "bold",
    "source-changed": "",
}


@with_server
def events(
    options: ServerOptions,
    stream: StreamArgument,
    broadcast: Annotated[
        str | None,
        typer.Option(
            "--broadcast", metavar="ID", help="One of `headwater broadcasts`; else the current or last one."
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new events until the broadcast ends, or Ctrl-C.")
    ] = False,
) -> None:
    """List what happened to a broadcast: losses, discontinuities, warnings, its end and why."""
    path = ("events",) if broadcast is None else ("broadcasts", broadcast, "events")
    with options.connect() as api:
        page = api.get("streams", stream, *path)
        if follow:
            with until_stopped():
                _follow(api, options, page)
            return
    if options.json_output:
        print_json(page)
    else:
        show(_table(page["events"], heading=True) if page["events"] else Text("Nothing has happened yet."))
        _show_remarks(page)


def _follow(api: ApiClient, options: ServerOptions, page: JsonObject) -> None:
    """Print the events of ``page`` and those that follow: as rows, or as lines of JSON."""
    is_first = True
    for some in _pages(api, page):
        if options.json_output:
            for event in some["events"]:
                print_json_line({"stream": some["stream"], "broadcast": some["broadcast"], **event})
        elif some["events"] or is_first:
            show(_table(some["events"], heading=is_first))
            sys.stdout.flush()
        is_first, page = False, some
    if not options.json_output:
        _show_remarks(page)


def _pages(api: ApiClient, page: JsonObject) -> Iterator[JsonObject]:
    """``page`` and those after it, until the broadcast has ended."""
    address = ("streams", page["stream"], "broadcasts", page["broadcast"], "events")
    while True:
        yield page
        if page["state"] != "live":
            return
        asked = time.monotonic()
        page = api.get(*address, query={"after": page["last"], "wait": WAIT_S})
        if not page["events"]:
            time.sleep(max(0.0, asked + PAUSE_S - time.monotonic()))


def _table(events: list[dict[str, Any]], *, heading: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=heading)
    table.add_column("TIME", width=TIME_WIDTH)
    table.add_column("EVENT", width=CODE_WIDTH, overflow="fold")
    table.add_column("WHAT HAPPENED", overflow="fold")
    for event in events:
        code = Text(clean(event["code"]), style=STYLES.get(event["code"], BAD))
        table.add_row(moment(event["at"]), code, Text(clean(event["text"])))
    return table


def _show_remarks(page: JsonObject) -> None:
    if page["dropped"]:
        show(Text(f"{page['dropped']} more events are left out, because there were too many.", style="dim"))
    if page["state"] == "interrupted":
        show(Text("The server stopped before the broadcast was completed.", style="dim"))
