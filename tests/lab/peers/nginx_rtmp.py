"""nginx with the RTMP module, as packaged by Debian, which writes published streams as HLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.daemon import daemon, nginx_command
from tests.lab.ports import HOST, free_port
from tests.lab.programs import find_program

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
MISSING = "nginx-rtmp: skipped, it is not installed (Debian: apt-get install nginx libnginx-mod-rtmp)"
# Everything else is the module's default.
CONFIGURATION = """\
load_module {module};
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
rtmp {{
    access_log off;
    server {{
        listen {host}:{port};
        application live {{
            live on;
            hls on;
            hls_path {directory}/hls;
            hls_fragment 2s;
            {push}
        }}
    }}
}}
"""


def missing() -> str | None:
    """Why it cannot take part, or None if it can."""
    if find_program("nginx") is None or not MODULE.exists():
        return MISSING
    return None


@contextmanager
def nginx_rtmp(directory: Path, *, push: str | None = None) -> Iterator[tuple[int, str, Path]]:
    """Its process id, the URL to publish to, and the directory of its playlists. Stopped when the block ends.

    What it receives, it also publishes to the URL ``push``. Raises LabError.
    """
    port, configuration, hls = free_port(), directory / "nginx.conf", directory / "hls"
    hls.mkdir(parents=True)
    pushed = "" if push is None else f"push {push};"
    configuration.write_text(
        CONFIGURATION.format(module=MODULE, directory=directory, host=HOST, port=port, push=pushed)
    )
    with daemon(nginx_command(directory, configuration), port, directory, missing=MISSING) as pid:
        yield pid, f"rtmp://{HOST}:{port}/live", hls
