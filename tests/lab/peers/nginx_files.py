"""nginx serving the files of a directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.daemon import daemon, nginx_command
from tests.lab.ports import HOST, free_port
from tests.lab.programs import find_program

MISSING = "nginx: skipped, it is not installed (Debian: apt-get install nginx)"
# One process, like the origin. Otherwise as in docker/nginx.conf, but without a log.
CONFIGURATION = """\
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/client_body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    server {{
        listen {host}:{port};
        root {directory}/files;
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class NginxFiles:
    """``pid`` is nginx's main process, ``files`` the directory that it serves."""

    pid: int
    port: int
    files: Path

    def put(self, path: str, data: bytes) -> None:
        """Serve ``data`` at the URL's ``path``."""
        file = self.files / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def missing() -> str | None:
    """Why it cannot take part, or None if it can."""
    return MISSING if find_program("nginx") is None else None


@contextmanager
def nginx_files(directory: Path) -> Iterator[NginxFiles]:
    """A server that is stopped when the block ends. Raises LabError."""
    port, configuration, files = free_port(), directory / "nginx.conf", directory / "files"
    files.mkdir(parents=True)
    configuration.write_text(CONFIGURATION.format(directory=directory, host=HOST, port=port))
    with daemon(nginx_command(directory, configuration), port, directory, missing=MISSING) as pid:
        yield NginxFiles(pid, port, files)
