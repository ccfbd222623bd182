"""``token``: links for the viewers of a private stream."""

import typer
from rich.table import Table
from rich.text import Text

from control.cli.options import DEFAULT_DATA, Data, Json, Server, StreamArgument, Token, connect
from control.cli.output import print_json, show
from control.cli.text import clean, moment
from media.quantities import Duration


def make_token(
    context: typer.Context,
    stream: StreamArgument,
    valid_for: str = typer.Option(
        "2h", "--for", metavar="DURATION", help="How long it lets viewers in: 30m, 2h, 7d."
    ),
    address: str | None = typer.Option(
        None, "--address", metavar="IP", help="The only client address or network that may use it."
    ),
    json_output: Json = False,
    server: Server = None,
    token: Token = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a link that lets viewers of a private stream in."""
    body = {"for_s": _seconds(valid_for), "address": address}
    with connect(context, server, token, data) as api:
        answer = api.post("streams", stream, "tokens", body=body)
    if json_output:
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
