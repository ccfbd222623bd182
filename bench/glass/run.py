"""One measurement: a server, caches where they are wanted, a broadcaster, a browser."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from bench.glass.figures import Figures, evaluate
from bench.glass.publisher import publishing
from bench.glass.strip import READER
from tests.browser import chromium, player, visit, wait_for
from tests.caches import nginx, nginx_configuration, varnish
from tests.s3server import free_port
from tests.server import serving

STREAM = "glass"
PUBLIC_URL = "HEADWATER_HTTP__PUBLIC_URL"


@dataclass(frozen=True, slots=True)
class Plan:
    """``settle`` seconds after the first picture are not counted: the player comes to its target meanwhile."""

    player: str
    seconds: float
    settle: float
    cached: bool
    config: str


def measure(plan: Plan) -> Figures:
    public = free_port()
    with tempfile.TemporaryDirectory(prefix="headwater-glass-") as name:
        directory = Path(name)
        base = f"http://127.0.0.1:{public}"
        listening = addresses(plan, public)
        with (
            serving(directory / "data", *listening, config=plan.config, environment={PUBLIC_URL: base}) as server,
            front(plan, directory, server.http, public),
            publishing(server.create(STREAM)),
            chromium() as browser,
        ):
            return watch(plan, browser, base)


def addresses(plan: Plan, public: int) -> tuple[str, ...]:
    """Where the server listens, where that is where viewers come to."""
    return () if plan.cached else ("--http", f"127.0.0.1:{public}")


def watch(plan: Plan, browser: Browser, base: str) -> Figures:
    with visit(browser, f"{base}/watch/{STREAM}?player={plan.player}&muted=1") as opened:
        page = opened.page
        wait_for(page, "() => window.headwater.screen === 'playing' && window.headwater.frames > 0")
        time.sleep(plan.settle)
        page.evaluate(READER)
        time.sleep(plan.seconds)
        collected = page.evaluate("window.glass")
        for complaint in opened.complaints:
            print(f"the page complained: {complaint}")
        return evaluate(player(page, "player"), collected, len(opened.complaints))


@contextmanager
def front(plan: Plan, directory: Path, origin: str, public: int) -> Iterator[None]:
    """What stands before the origin, if anything."""
    if not plan.cached:
        yield
        return
    port = urlsplit(origin).port
    assert port is not None
    with varnish(directory, port) as behind, nginx(nginx_configuration(directory, port, behind, public)):
        yield
