"""``token``: links for the viewers of a private stream."""

from typing import Annotated

import typer

from control.cli.layout import facts
from control.cli.options import ServerOptions, StreamArgument, seconds, with_server
from control.cli.output import print_json, show
from control.cli.text import moment


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
    body = {"for_s": round(seconds(valid_for, "--for", at_least=1)), "address": address}
    with options.connect() as api:
        answer = api.post("streams", stream, "tokens", body=body)
    if options.json_output:
        print_json(answer)
        return
    fields = (("Watch", "watch"), ("HLS", "hls"), ("DASH", "dash"), ("Token", "token"))
    rows = [(label, answer[field]) for label, field in fields]
    limit = f", from {answer['address']} alone" if answer["address"] else ""
    show(facts((*rows, ("Until", f"{moment(answer['expires_at'])}{limit}"))))
