"""``ban``, ``unban``: a stream refuses its publishers, whether it is live or not."""

from typing import Annotated, Any

import typer

from control.cli.options import ServerOptions, StreamArgument, seconds, with_server
from control.cli.output import print_done
from control.cli.text import clean, moment


@with_server
def ban(
    options: ServerOptions,
    stream: StreamArgument,
    length: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="DURATION",
            help="How long: 10m, 2h, 7d; without it, until `headwater unban`.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="The reason that its publisher gets.")
    ] = None,
) -> None:
    """Refuse a stream's publishers; a broadcast on it is ended."""
    body: dict[str, Any] = {} if length is None else {"for_s": seconds(length, "--for", at_least=1)}
    if reason is not None:
        body["reason"] = reason
    with options.connect() as api:
        answer = api.post("streams", stream, "ban", body=body)
    until = f" until {moment(answer['until'])}" if answer["until"] else ""
    ended = " Its broadcast is ended." if answer["ended"] else ""
    print_done(answer, f"{clean(stream)} is banned{until}.{ended}", json_output=options.json_output)


@with_server
def unban(options: ServerOptions, stream: StreamArgument) -> None:
    """Lift the ban of a stream."""
    with options.connect() as api:
        api.delete("streams", stream, "ban")
    print_done(
        {"stream": stream, "banned": False},
        f"{clean(stream)} may be published again.",
        json_output=options.json_output,
    )
