"""The server that a command uses: the one from ``--server``, or else the one on the data directory."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from control.cli.errors import CliError, ServerUnreachable
from control.datadir import DataDir


@dataclass(frozen=True, slots=True)
class Target:
    """``url`` has no trailing slash; ``token`` is None if unknown."""

    url: str
    token: str | None = field(repr=False)


def find_target(server: str | None, token: str | None, data: Path) -> Target:
    """Raises CliError if ``server`` is not a URL, or if it is None and no server runs on ``data``."""
    directory = DataDir(data)
    running = directory.server()
    if server is None:
        if running is None:
            raise ServerUnreachable(
                f"no Headwater runs on the data directory {data}: start `headwater serve`, "
                "or name a server with --server URL (or HEADWATER_SERVER)"
            )
        return Target(running.http, token or directory.stored_token())
    url = _url(server)
    # Send the token only to the server that it belongs to.
    if token is None and running is not None and running.http == url:
        token = directory.stored_token()
    return Target(url, token)


def _url(server: str) -> str:
    text = server if "://" in server else f"http://{server}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CliError(f'--server "{server}" is not a URL; write it as http://HOST:8080')
    return text.rstrip("/")
