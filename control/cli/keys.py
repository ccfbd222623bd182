"""``keys``: the stream keys of a stream, each with a name."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from control.cli.layout import columns, facts
from control.cli.options import ServerOptions, StreamArgument, seconds, with_server
from control.cli.output import print_done, print_json, show
from control.cli.text import clean, moment
from media.roles import Role

EXPIRES = "--expires"
Expires = Annotated[
    str | None,
    typer.Option(
        EXPIRES,
        metavar="DURATION|DATE",
        help="When it expires: 30d, 12h, 2026-12-31 or 2026-12-31T18:00 (UTC). An encoder on air stays.",
    ),
]
KeyArgument = Annotated[str, typer.Argument(metavar="NAME", help="The key's name, such as guest.")]

keys = typer.Typer(help="List, create, rotate and revoke the keys of a stream.", no_args_is_help=True)


@with_server
def list_keys(options: ServerOptions, stream: StreamArgument) -> None:
    """List the keys of a stream, without the keys themselves."""
    with options.connect() as api:
        listed = api.get("streams", stream, "keys")
    if options.json_output:
        print_json(listed)
        return
    if not listed:
        show(Text(f"{stream} has no key: `headwater keys create {stream} NAME` makes one."))
        return
    table = columns("NAME", "ROLE", "CREATED", "EXPIRES", "LAST USED", "FROM", "ADDRESSES")
    for key in listed:
        times = [moment(key[field]) for field in ("created_at", "expires_at", "last_used_at")]
        table.add_row(
            Text(clean(key["name"])),
            Text(clean(key["role"])),
            *times,
            Text(clean(key["last_used_from"] or "-")),
            Text(", ".join(map(clean, key["addresses"])) or "all"),
        )
    show(table)


@with_server
def create_key(
    options: ServerOptions,
    stream: StreamArgument,
    name: KeyArgument,
    expires: Expires = None,
    addresses: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="ADDRESS|NETWORK",
            help="The only address or network that may use it: 203.0.113.7, 2001:db8::/64. May be repeated.",
        ),
    ] = None,
    backup: Annotated[
        bool, typer.Option("--backup", help="For a second encoder, which takes over if the first one stalls.")
    ] = False,
) -> None:
    """Create a key and print it. It is shown only once."""
    body: dict[str, Any] = {"name": name, "addresses": addresses or []}
    if expires is not None:
        body["expires_at"] = expiry(expires)
    if backup:
        body["role"] = Role.BACKUP.value
    with options.connect() as api:
        _print_key(api.post("streams", stream, "keys", body=body), options)


@with_server
def rotate_key(options: ServerOptions, stream: StreamArgument, name: KeyArgument, expires: Expires = None) -> None:
    """Replace a key by a new one; the old one is refused from the next connection on."""
    body = {} if expires is None else {"expires_at": expiry(expires)}
    with options.connect() as api:
        _print_key(api.post("streams", stream, "keys", name, "rotate", body=body), options)


@with_server
def revoke_key(options: ServerOptions, stream: StreamArgument, name: KeyArgument) -> None:
    """Revoke a key; an encoder that uses it is disconnected."""
    with options.connect() as api:
        api.delete("streams", stream, "keys", name)
    print_done(
        {"stream": stream, "name": name, "revoked": True},
        f"The key {name} of {stream} is revoked.",
        json_output=options.json_output,
    )


def expiry(text: str) -> float:
    """The end of a duration from now, or a date, as Unix seconds. Raises BadParameter."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return round(time.time() + seconds(text, EXPIRES, at_least=1), 3)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _print_key(answer: dict[str, Any], options: ServerOptions) -> None:
    if options.json_output:
        print_json(answer)
        return
    until = moment(answer["expires_at"]) if answer["expires_at"] else "it is revoked"
    rows = [("Server", answer["server"]), ("Stream Key", answer["key"]), ("Name", answer["name"]), ("Until", until)]
    if answer["addresses"]:
        rows.append(("From", ", ".join(answer["addresses"])))
    again = f"headwater keys rotate {answer['stream']} {answer['name']}"
    show(facts(rows), Text(f"The key is not shown again; `{again}` makes a new one.", style="dim"))


keys.command("list")(list_keys)
keys.command("create")(create_key)
keys.command("rotate")(rotate_key)
keys.command("revoke")(revoke_key)
