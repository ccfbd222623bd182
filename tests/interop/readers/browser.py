"""JavaScript players in Chromium, from npm, on a page of another origin than the media's."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Error, Page

from tests.interop.outcome import FPS, Decoded, Format
from tests.interop.readers import Source, Workspace
from tests.lab.browser import CHROMIUM, visit
from tests.lab.ports import HOST

WEB = Path(__file__).parents[1] / "web"
MODULES = WEB / "node_modules"
WITHIN_MS = 45_000
ENOUGH = """([pictures, sound]) =>
  window.reading && window.reading.pictures >= pictures && window.reading.soundSeconds >= sound"""


@dataclass(frozen=True, slots=True)
class PlayerReader:
    """The player in the npm ``package`` of tests/interop/web, started by ``adapter`` in its folder players."""

    name: str
    package: str
    adapter: str
    formats: tuple[Format, ...]

    def missing(self) -> str | None:
        if CHROMIUM is None:
            return "chromium (Debian: chromium)"
        if not (MODULES / self.package).is_dir():
            return f"{self.package} (npm: make interop-tools)"
        return None

    def version(self) -> str:
        version: str = json.loads((MODULES / self.package / "package.json").read_text())["version"]
        return version

    def read(self, source: Source, workspace: Workspace) -> Decoded:
        with pages() as site:
            parameters = {"adapter": self.adapter, "package": self.package}
            parameters |= {"url": source.url, "kind": source.case.kind.value}
            url = f"{site}/page.html?{urlencode(parameters)}"
            with visit(workspace.browser(), url) as opened:
                wanted = [int(source.case.needed_s * FPS), source.case.needed_s]
                with suppress(Error):
                    opened.page.wait_for_function(ENOUGH, arg=wanted, timeout=WITHIN_MS)
                decoded = _reading(opened.page, opened.complaints)
        workspace.log.write_text(decoded.log)
        return decoded


def _reading(page: Page, complaints: list[str]) -> Decoded:
    found = page.evaluate("() => window.reading ?? {pictures: 0, soundSeconds: 0, errors: []}")
    log = "\n".join([*found["errors"], *complaints])
    return Decoded(found["pictures"], found["soundSeconds"], found.get("behindSeconds"), log)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Chromium drops its connections when it leaves a page."""


class _Handler(SimpleHTTPRequestHandler):
    # With persistent connections: RxPlayer has hundreds of modules.
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """RxPlayer's modules import each other as bundlers allow: without the ending .js, and a folder for the file
        index.js in it. The browser must know the true place, because its imports are relative to that."""
        asked, _, _ = self.path.partition("?")
        place = Path(self.translate_path(asked))
        files = (Path(f"{place}{ending}") for ending in ("", ".js", "/index.js"))
        file = next((file for file in files if file.is_file()), place)
        true = f"/{file.relative_to(WEB)}"
        if true == asked:
            super().do_GET()
        else:
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", true)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def pages() -> Iterator[str]:
    """The origin that serves tests/interop/web until the block ends."""
    with _Server((HOST, 0), partial(_Handler, directory=str(WEB))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
