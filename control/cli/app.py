"""The command line: all commands under one name."""

from typing import Annotated

import typer

from control.cli.api_tokens import api_tokens
from control.cli.audit import audit
from control.cli.bans import ban, unban
from control.cli.broadcasts import broadcasts
from control.cli.demo import demo
from control.cli.doctor import doctor
from control.cli.events import events
from control.cli.hooks import hooks
from control.cli.keys import keys
from control.cli.live import drain, kill, list_streams, reload, show_stream, switch
from control.cli.qoe import qoe
from control.cli.serve import serve
from control.cli.store import store
from control.cli.streams import backup_key, change, create, delete, rotate_key
from control.cli.tokens import make_token
from control.cli.version import print_version

app = typer.Typer(
    name="headwater",
    help="Live video from the broadcaster's RTMP to every viewer's HLS or DASH player.",
    invoke_without_command=True,
    suggest_commands=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def headwater(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version of Headwater.")] = False,
) -> None:
    if show_version:
        print_version()
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


SERVER, STREAMS, LIVE, RECORDINGS, ACCESS = "Run", "Streams", "On the air", "Recordings", "Access"

app.command("serve", rich_help_panel=SERVER)(serve)
app.command("demo", rich_help_panel=SERVER)(demo)
app.command("drain", rich_help_panel=SERVER)(drain)
app.command("reload", rich_help_panel=SERVER)(reload)
app.command("doctor", rich_help_panel=SERVER)(doctor)
app.command("version", rich_help_panel=SERVER)(print_version)
app.command("create", rich_help_panel=STREAMS)(create)
app.command("set", rich_help_panel=STREAMS)(change)
app.command("rotate-key", rich_help_panel=STREAMS)(rotate_key)
app.command("backup-key", rich_help_panel=STREAMS)(backup_key)
app.add_typer(keys, name="keys", rich_help_panel=STREAMS)
app.command("token", rich_help_panel=STREAMS)(make_token)
app.command("delete", rich_help_panel=STREAMS)(delete)
app.command("list", rich_help_panel=LIVE)(list_streams)
app.command("show", rich_help_panel=LIVE)(show_stream)
app.command("kill", rich_help_panel=LIVE)(kill)
app.command("ban", rich_help_panel=LIVE)(ban)
app.command("unban", rich_help_panel=LIVE)(unban)
app.command("switch", rich_help_panel=LIVE)(switch)
app.command("events", rich_help_panel=LIVE)(events)
app.command("qoe", rich_help_panel=LIVE)(qoe)
app.add_typer(broadcasts, name="broadcasts", rich_help_panel=RECORDINGS)
app.add_typer(store, name="store", rich_help_panel=RECORDINGS)
app.add_typer(api_tokens, name="api-token", rich_help_panel=ACCESS)
app.add_typer(hooks, name="hooks", rich_help_panel=ACCESS)
app.command("audit", rich_help_panel=ACCESS)(audit)
