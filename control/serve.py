"""Runs the server process from a configuration to an exit code."""

import asyncio
import gc
import signal
from collections.abc import Callable

import uvloop

from control.composition import serving
from control.config import Config
from control.options import s3_options, transcode_options
from control.ready import print_ready
from storage.open import open_store
from telemetry.logs import set_up_logs
from transcoder.options import Encoder, check_encoder


def check(config: Config) -> None:
    """Test the store and the encoder without serving. Raises HeadwaterError."""
    check_encoder(transcode_options(config))
    asyncio.run(_check_store(config))


def run(config: Config, *, json_output: bool, on_ready: Callable[[], None] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code. Raises HeadwaterError if the server cannot start."""
    set_up_logs(config.log.format, config.log.level)
    if transcode_options(config).encoder is not Encoder.LIBX264:
        check_encoder(transcode_options(config))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve_until_signal(config, json_output=json_output, on_ready=on_ready))


def tune_gc() -> None:
    """Exclude the objects that exist now from garbage collection, and collect less often.

    Media is freed by reference counts, and cycles are rare. With hundreds of streams, a collection every 700
    objects would cost more than the frames themselves.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _serve_until_signal(config: Config, *, json_output: bool, on_ready: Callable[[], None] | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(config) as server:
        print_ready(server, json_output=json_output)
        tune_gc()
        if on_ready is not None:
            on_ready()
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((server.http_task, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        return 0 if stop.is_set() else 1


async def _check_store(config: Config) -> None:
    store = open_store(config.store_location, s3_options(config), fsync=config.store.fsync)
    try:
        await store.check()
    finally:
        await store.close()
