"""``audit``: who changed what."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from control.cli.completion import complete_stream
from control.cli.layout import columns
from control.cli.options import ServerOptions, seconds, with_server
from control.cli.output import print_json, show
from control.cli.text import JsonObject, clean, moment


@with_server
def audit(
    options: ServerOptions,
    stream: Annotated[
        str | None,
        typer.Option(
            "--stream", metavar="STREAM", help="Only changes of this stream.", autocompletion=complete_stream
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="DURATION", help="How far to look back: 90m, 1d, 30d.")
    ] = "7d",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="The most entries to print.")] = 100,
) -> None:
    """List the changes that people and programs made, newest first."""
    first = max(0.0, time.time() - seconds(since, "--since"))
    query = {"since": first, "limit": limit} | ({} if stream is None else {"stream": stream})
    with options.connect() as api:
        page = api.get("audit", query=query)
    if options.json_output:
        print_json(page)
        return
    show(_table(page["entries"]) if page["entries"] else Text(f"Nothing was changed in {since}."))
    if page["complete_since"] > first:
        remark = f"Entries before {moment(page['complete_since'])} are left out: use --limit, or a smaller --since."
        show(Text(remark, style="dim"))


def _table(entries: list[JsonObject]) -> Table:
    table = columns("TIME", "WHO", "ACTION", "STREAM", "RESULT", "FROM", "DETAILS")
    for entry in entries:
        who = f"{entry['token']['name']} ({entry['token']['id']})" if entry["token"] else "-"
        table.add_row(
            moment(entry["at"]),
            Text(clean(who)),
            Text(clean(entry["action"])),
            Text(clean(entry["stream"] or "-")),
            Text(clean(entry["result"])),
            Text(clean(" ".join(filter(None, (entry["address"], entry["client"]))) or "-")),
            Text(clean("; ".join(_details(entry["details"])))),
        )
    return table


def _details(details: JsonObject) -> Iterator[str]:
    """``ban_s 60``, or ``title "A" to "B"`` for a setting that has changed."""
    for name, value in details.items():
        if isinstance(value, dict) and value.keys() == {"from", "to"}:
            yield f"{name} {_json(value['from'])} to {_json(value['to'])}"
        elif name.endswith("_at") and value is not None:
            yield f"{name.removesuffix('_at')} {moment(value)}"
        elif value is not None:
            yield f"{name} {value if isinstance(value, str) else _json(value)}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
