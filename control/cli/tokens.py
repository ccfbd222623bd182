"""``token``: links for the viewers of a private stream."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from control.cli.options import ServerOptions, StreamArgument, with_server
from control.cli.output import print_json, show
from control.cli.text import clean, moment
from media.quantities import Duration


@with_server
def make_token(
    options: ServerOptions,
    stream: StreamArgument,
    valid_for: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long it lets viewers in: 30m, 2h, 7d.")
    ] = "2h",
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="IP", help="The only client address or network that may use it."),
    ] = None,
) -> None:
    """Make a link that lets viewers of a private stream in."""
    body = {"for_s": _seconds(valid_for), "address": address}
    with options.connect() as api:
        answer = api.post("streams", stream, "tokens", body=body)
    if options.json_output:
        print_json(answer)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for label, field in (("Watch", "watch"), ("HLS", "hls"), ("DASH", "dash"), ("Token", "token")):
        table.add_row(Text(label, style="bold"), Text(clean(answer[field]), overflow="fold"))
    limit = f", from {clean(answer['address'])} alone" if answer["address"] else ""
    table.add_row(Text("Until", style="bold"), Text(f"{moment(answer['expires_at'])}{limit}"))
    show(table)


def _seconds(text: str) -> int:
    try:
        return round(Duration(at_least=1).parse(text))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None
