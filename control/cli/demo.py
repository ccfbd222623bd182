"""``demo``: a synthetic broadcaster, and a server for it if none is running."""

import signal
import threading
from typing import Annotated

import typer
from rich.text import Text

from control.cli.client import ApiClient
from control.cli.errors import CliError, ServerUnreachable
from control.cli.options import LoadConfig, with_config
from control.cli.output import print_error, show
from control.cli.target import Target
from control.config import Config
from control.datadir import DataDir
from control.demo import Broadcaster, DemoError

STREAM = "live"

ToOption = Annotated[
    str | None,
    typer.Option(
        "--to",
        "--server",
        metavar="rtmp://HOST:PORT/APP",
        help="Only publish, to this server; needs --key.",
        show_default=False,
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        envvar="HEADWATER_KEY",
        help="The stream key to publish with; better in HEADWATER_KEY, since others may see command lines.",
        show_default=False,
    ),
]


@with_config
def demo(
    load: LoadConfig,
    to: ToOption = None,
    key: KeyOption = None,
) -> None:
    """Broadcast a test picture with a clock and sound; Ctrl-C ends it.

    It goes to the server that runs on the data directory. If there is none, the command starts one.
    """
    if (to is None) != (key is None):
        raise typer.BadParameter("--to and --key must be used together")
    if to is not None and key is not None:
        publish(Broadcaster(to, key))
        return
    config = load()
    broadcaster = running_server(DataDir(config.data))
    if broadcaster is not None:
        publish(broadcaster)
    else:
        raise typer.Exit(serve_and_publish(config))


def publish(broadcaster: Broadcaster) -> None:
    """Publish until Ctrl-C or SIGTERM."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        broadcaster.run()
    except KeyboardInterrupt:
        broadcaster.stop()
    finally:
        signal.signal(signal.SIGTERM, previous)


def running_server(directory: DataDir) -> Broadcaster | None:
    """A broadcaster for the server that runs on the data directory, or None. Raises CliError, DemoError."""
    server = directory.server()
    if server is None:
        return None
    with ApiClient(Target(server.http, directory.stored_token())) as api:
        try:
            status = api.get("streams", STREAM)
        except ServerUnreachable:
            return None
    if status["state"] == "live":
        raise CliError(f"the stream {STREAM} is live already: watch it at {status['watch']}")
    key = directory.stream_key(STREAM)
    if key is None:
        raise CliError(
            f"the key of the stream {STREAM} is not kept in {directory.path}: "
            f"give one with `headwater demo --to {server.rtmp} --key KEY`"
        )
    show(Text(f"The demo is on the air; watch it at {status['watch']}"))
    return Broadcaster(server.rtmp, key)


def serve_and_publish(config: Config) -> int:
    """Run the server, and start the broadcaster when it is ready. Returns the server's exit code."""
    from control import serve as server

    broadcaster = _BroadcasterThread(DataDir(config.data))
    try:
        return server.run(config, json_output=False, on_ready=broadcaster.start)
    finally:
        broadcaster.stop()


class _BroadcasterThread:
    """The broadcaster in its own thread, in the same process as the server."""

    def __init__(self, directory: DataDir) -> None:
        self._directory = directory
        self._broadcaster: Broadcaster | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._broadcaster is not None:
            self._broadcaster.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._broadcaster = running_server(self._directory)
            if self._broadcaster is not None and not self._stopped.is_set():
                self._broadcaster.run()
        except (CliError, DemoError) as error:
            print_error(str(error), code=error.code, json_output=False)
