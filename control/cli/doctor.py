"""``doctor``: tests what a server needs on this machine."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from control.cli.options import LoadConfig, with_config
from control.cli.output import print_json, show
from control.owner import act_as_owner


@with_config
def doctor(
    load: LoadConfig,
    cache: Annotated[
        str | None,
        typer.Option(
            "--cache", metavar="URL", help="Also ask the cache in front.", show_default="[http] public_url"
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Test ports, certificate, store, encoder, clock and cache, and say what to change."""
    config = load()
    act_as_owner(config.directories)
    # Imported late, as the server's libraries.
    from control.doctor import State, examine

    findings = []
    colours = {State.GOOD: "green", State.WARNING: "yellow", State.FAULT: "red"}
    for finding in examine(config, cache or config.http.public_url):
        findings.append(finding)
        if json_output:
            continue
        line = Text.assemble(
            (f"{finding.state.value:8}", colours[finding.state]), f"{finding.subject}: {finding.text}"
        )
        show(line)
        if finding.advice:
            show(Text(f"        {finding.advice}"))
    if json_output:
        print_json([asdict(finding) for finding in findings])
    raise typer.Exit(any(finding.state is State.FAULT for finding in findings))
