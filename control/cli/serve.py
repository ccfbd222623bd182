"""``serve``: runs the server."""

from typing import Annotated

import typer

from control.cli.options import LoadConfig, with_config
from control.owner import act_as_owner


@with_config
def serve(
    load: LoadConfig,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the configuration, the store and the encoder.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print the ready line as JSON.")] = False,
) -> None:
    """Run Headwater: RTMP in, HLS and DASH out."""
    config = load()
    # Imported late, so that other commands start without PyAV and the server's libraries.
    from control import serve as server

    if check:
        act_as_owner(config.directories)
        server.check(config)
        print("The configuration is good; the store and the encoder are usable.")
        return
    raise typer.Exit(server.run(config, load=load, json_output=json_output))
