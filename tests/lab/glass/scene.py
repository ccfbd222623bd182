"""A server, the caches of docker/ in front of it if requested, and a live broadcaster."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.lab.front import nginx_front
from tests.lab.glass.publisher import publishing
from tests.lab.ports import free_port
from tests.lab.server import serving

STREAM = "glass"
PUBLIC_URL = "HEADWATER_HTTP__PUBLIC_URL"


@contextmanager
def on_air(
    config: str, *, cached: bool, broadcaster: Callable[[str], AbstractContextManager[object]] = publishing
) -> Iterator[str]:
    """The address for viewers of STREAM: the caches', or the origin's own. ``config`` is TOML;
    ``broadcaster`` publishes to the URL it receives, which includes the key, until its block ends."""
    public = free_port()
    with tempfile.TemporaryDirectory(prefix="headwater-glass-") as name:
        directory = Path(name)
        base = f"http://127.0.0.1:{public}"
        listening = () if cached else ("--http", f"127.0.0.1:{public}")
        with (
            serving(directory / "data", *listening, config=config, environment={PUBLIC_URL: base}) as server,
            _front(directory, server.http, public, cached),
            broadcaster(server.create(STREAM)),
        ):
            yield base


@contextmanager
def _front(directory: Path, origin: str, public: int, cached: bool) -> Iterator[None]:
    if not cached:
        yield
        return
    with nginx_front(directory, urlsplit(origin).netloc, port=public):
        yield
