"""The command line: all commands under one name."""

import typer

from control.cli.demo import demo
from control.cli.live import broadcasts, kill, list_streams, show_stream
from control.cli.serve import serve
from control.cli.streams import create, delete, rotate_key
from control.cli.tokens import make_token
from control.cli.version import print_version

app = typer.Typer(
    name="headwater",
    help="Live video from the broadcaster's RTMP to every viewer's HLS or DASH player.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

SERVER, STREAMS, LIVE = "Run", "Streams", "On the air"

app.command("serve", rich_help_panel=SERVER)(serve)
app.command("demo", rich_help_panel=SERVER)(demo)
app.command("version", rich_help_panel=SERVER)(print_version)
app.command("create", rich_help_panel=STREAMS)(create)
app.command("rotate-key", rich_help_panel=STREAMS)(rotate_key)
app.command("token", rich_help_panel=STREAMS)(make_token)
app.command("delete", rich_help_panel=STREAMS)(delete)
app.command("list", rich_help_panel=LIVE)(list_streams)
app.command("show", rich_help_panel=LIVE)(show_stream)
app.command("kill", rich_help_panel=LIVE)(kill)
app.command("broadcasts", rich_help_panel=LIVE)(broadcasts)
