"""Runs the server process from a configuration to an exit code."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import closing

import structlog
import uvloop

from control.compiled import require_fresh
from control.composition import serving
from control.config import Config
from control.options import slate_image, tracing_options, transcode_options
from control.ready import print_ready
from control.store_options import s3_options
from control.version import version
from storage.open import open_store
from telemetry.line_writer import LineWriter
from telemetry.logs import set_up_logs
from telemetry.tracing_options import check_installed
from transcoder.options import Encoder, check_encoder

log = structlog.get_logger("control")


def check(config: Config) -> None:
    """Test the store, the encoder, the slate's image and the libraries without serving. Raises HeadwaterError."""
    if tracing_options(config) is not None:
        check_installed()
    check_encoder(transcode_options(config))
    slate_image(config)
    asyncio.run(_check_store(config))


def run(
    config: Config,
    *,
    load: Callable[[], Config] | None = None,
    json_output: bool,
    on_ready: Callable[[], None] | None = None,
) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code. ``load`` reads the configuration again, for a reload.
    Raises HeadwaterError if the server cannot start."""
    logs = set_up_logs(config.log.format, config.log.level, trace_ids=config.tracing.endpoint is not None)
    output = LineWriter(sys.stdout.fileno())
    with closing(logs), closing(output):
        log.info("the server starts", version=version(), compiled_modules=require_fresh())
        if transcode_options(config).encoder is not Encoder.LIBX264:
            check_encoder(transcode_options(config))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(
                _serve_until_signal(config, load, logs, output, json_output=json_output, on_ready=on_ready)
            )


def tune_gc() -> None:
    """Exclude the objects that exist now from garbage collection, and collect less often.

    Media is freed by reference counts, and cycles are rare. With hundreds of streams, a collection every 700
    objects would cost more than the frames themselves.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _serve_until_signal(
    config: Config,
    load: Callable[[], Config] | None,
    logs: LineWriter,
    output: LineWriter,
    *,
    json_output: bool,
    on_ready: Callable[[], None] | None,
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(config, load=load, lost_lines=lambda: logs.lost) as server, asyncio.TaskGroup() as reloads:
        loop.add_signal_handler(signal.SIGUSR1, server.drain.begin)
        # The end of a terminal's session is the end of a server that was started there.
        reload = stop.set if sys.stdin.isatty() else lambda: reloads.create_task(server.settings.reload_on_signal())
        loop.add_signal_handler(signal.SIGHUP, reload)
        print_ready(server, output.write, json_output=json_output)
        tune_gc()
        if on_ready is not None:
            on_ready()
        endings = [asyncio.create_task(event.wait()) for event in (stop, server.drain.stop)]
        await asyncio.wait((server.http_task, *endings), return_when=asyncio.FIRST_COMPLETED)
        for task in endings:
            task.cancel()
        return 0 if stop.is_set() or server.drain.stop.is_set() else 1


async def _check_store(config: Config) -> None:
    store = open_store(config.store_location, s3_options(config), fsync=config.store.fsync)
    try:
        await store.check()
    finally:
        await store.close()
