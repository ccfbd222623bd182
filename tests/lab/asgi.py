"""An ASGI application in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.lab.ports import free_port
from tests.lab.waiting import until


@contextmanager
def running_app(app: ASGIApp) -> Iterator[int]:
    """Its port, until the block ends. It trusts ``X-Forwarded-For`` of this machine."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, lifespan="off", log_config=None, access_log=False, ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield port
    finally:
        server.should_exit = True
        thread.join()
