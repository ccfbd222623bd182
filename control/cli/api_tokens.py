"""``api-token``: the tokens of the REST API, for people and programs that operate the server."""

from typing import Annotated

import typer
from rich.text import Text

from control.cli.errors import CliError
from control.cli.layout import columns, facts
from control.cli.options import DEFAULT_DATA, Data, Json, ServerOptions, seconds, with_server
from control.cli.output import print_done, print_json, show
from control.cli.text import clean, moment
from control.datadir import DataDir
from control.owner import act_as_owner
from storage.catalogue.scopes import Scope

TokenArgument = Annotated[str, typer.Argument(metavar="NAME", help="The token's name, such as backup.")]

api_tokens = typer.Typer(help="Create, list and revoke tokens of the REST API.", no_args_is_help=True)


@with_server
def create_token(
    options: ServerOptions,
    name: TokenArgument,
    scope: Annotated[
        Scope,
        typer.Option(
            "--scope",
            help="read: see streams; operate: also end and change them, make viewer links; admin: all.",
        ),
    ] = Scope.READ,
    valid_for: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="DURATION", help="How long it works: 12h, 30d; without it, until it is revoked."
        ),
    ] = None,
) -> None:
    """Create a token and print it. It is shown only once."""
    for_s = None if valid_for is None else round(seconds(valid_for, "--for", at_least=1))
    with options.connect() as api:
        answer = api.post("api-tokens", body={"name": name, "scope": scope.value, "for_s": for_s})
    if options.json_output:
        print_json(answer)
        return
    until = moment(answer["expires_at"]) if answer["expires_at"] else "it is revoked"
    rows = (("Token", answer["token"]), ("Scope", answer["scope"]), ("Until", until))
    show(facts(rows), Text("The token is not shown again; commands take it from HEADWATER_TOKEN.", style="dim"))


@with_server
def list_tokens(options: ServerOptions) -> None:
    """List all tokens, without the one in the data directory."""
    with options.connect() as api:
        tokens = api.get("api-tokens")
    if options.json_output:
        print_json(tokens)
        return
    if not tokens:
        show(Text("No token yet: `headwater api-token create NAME` makes one."))
        return
    table = columns("NAME", "SCOPE", "CREATED", "EXPIRES", "LAST USED", "ID", fold=False)
    for token in tokens:
        times = [moment(token[field]) for field in ("created_at", "expires_at", "last_used_at")]
        table.add_row(Text(clean(token["name"])), Text(clean(token["scope"])), *times, Text(clean(token["id"])))
    show(table)


@with_server
def revoke_token(options: ServerOptions, name: TokenArgument) -> None:
    """Revoke a token: it stops working within seconds."""
    with options.connect() as api:
        api.delete("api-tokens", name)
    print_done({"name": name, "revoked": True}, f"{name} is revoked.", json_output=options.json_output)


def rotate_token(json_output: Json = False, data: Data = DEFAULT_DATA) -> None:
    """Replace the token in the data directory; the server uses the new one at once."""
    directory = DataDir(data)
    if directory.stored_token() is None:
        raise CliError(f"there is no token in {directory.token_file} to replace: name its directory with --data")
    act_as_owner([data])
    directory.replace_token()
    if json_output:
        print_json({"file": str(directory.token_file)})
    else:
        show(Text(f"The token in {directory.token_file} is replaced; the old one is refused from now on."))


api_tokens.command("create")(create_token)
api_tokens.command("list")(list_tokens)
api_tokens.command("revoke")(revoke_token)
api_tokens.command("rotate")(rotate_token)
