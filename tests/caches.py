"""The files of ``docker/`` as they are, but for their places, run by this machine's nginx and Varnish."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.stage.ports import free_port

DOCKER = Path(__file__).parents[1] / "docker"
PATH = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin"
NGINX = shutil.which("nginx", path=PATH)
VARNISH = shutil.which("varnishd", path=PATH)
# What of them nginx.conf needs; None or False where it is not installed.
CACHES = NGINX and VARNISH and Path("/usr/lib/nginx/modules/ngx_http_lua_module.so").exists()
START_S = 10.0


def varnish_configuration(directory: Path, origin: int) -> Path:
    text = (DOCKER / "varnish.vcl").read_text()
    return replaced(
        text,
        directory / "varnish.vcl",
        ('.host = "headwater";', '.host = "127.0.0.1";'),
        ('.port = "8080";', f'.port = "{origin}";'),
    )


def nginx_configuration(
    directory: Path, origin: int, varnish: int, port: int | None = None, *, workers: int = 1
) -> Path:
    """``port`` is where nginx will listen; by itself, one that is free."""
    text = (DOCKER / "nginx.conf").read_text()
    return replaced(
        text,
        directory / "nginx.conf",
        ("server headwater:8080", f"server 127.0.0.1:{origin}"),
        ("server varnish:6081", f"server 127.0.0.1:{varnish}"),
        ("listen 8080;", f"listen 127.0.0.1:{port or free_port()};"),
        ("worker_processes auto;", f"worker_processes {workers};"),
        (" /tmp/", f" {directory}/"),
        ("/var/cache/nginx/", f"{directory}/"),
        ("/etc/nginx/?.lua", f"{DOCKER}/?.lua"),
    )


def replaced(text: str, path: Path, *places: tuple[str, str]) -> Path:
    for theirs, ours in places:
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    path.write_text(text)
    return path


@contextmanager
def varnish(directory: Path, origin: int) -> Iterator[int]:
    """Varnish before the origin at the port ``origin`` of this host; its own port."""
    assert VARNISH is not None
    port = free_port()
    configuration = varnish_configuration(directory, origin)
    with running(
        [
            *(VARNISH, "-F", "-n", str(directory / "varnish"), "-f", str(configuration), "-a", f"127.0.0.1:{port}"),
            *("-s", "default,256m", "-s", "Transient=default,64m", "-p", "thread_pool_min=50", "-j", "none"),
        ],
        directory / "varnish.log",
        port,
    ):
        yield port


@contextmanager
def nginx(configuration: Path) -> Iterator[int]:
    """nginx with what :func:`nginx_configuration` wrote; its port."""
    port = int(configuration.read_text().partition("listen 127.0.0.1:")[2].partition(";")[0])
    with running(nginx_command(configuration), configuration.parent / "nginx.log", port):
        yield port


def nginx_command(configuration: Path, *arguments: str) -> list[str]:
    assert NGINX is not None
    # As root, nginx would give its files to a user that cannot enter the test's directory.
    user = "user root;" if Path.home() == Path("/root") else ""
    place = ["-p", str(configuration.parent), "-c", str(configuration)]
    return [NGINX, *place, "-g", f"daemon off; {user}", *arguments]


@contextmanager
def running(command: list[str], log: Path, port: int) -> Iterator[None]:
    """The process until the block ends, from when it serves its port on."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_S
        while not serves(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=2).status_code == 404
    except httpx.TransportError:
        return False
