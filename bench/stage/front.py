"""The caches of docker/ before the origin, with their files as they are but for the places named there."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stage.daemon import daemon, nginx_command
from bench.stage.errors import BenchError
from bench.stage.machine import program
from bench.stage.ports import HOST, free_port

DOCKER = Path(__file__).parents[2] / "docker"
LUA_MODULE = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")
VARNISH = "varnish:6081"
ORIGIN = "headwater:8080"
MISSING = "nginx or varnish is not installed (Debian: apt-get install nginx varnish); or measure the origin alone"
LISTENS = re.compile(rf"listen {re.escape(HOST)}:(\d+)")


@dataclass(frozen=True, slots=True)
class Front:
    """Where viewers go, and the first process of each cache by its name."""

    port: int
    processes: dict[str, int]


def has_varnish() -> bool:
    return program("varnishd") is not None


def has_nginx() -> bool:
    """With all that docker/nginx.conf needs: its Lua module, and Varnish behind it."""
    return program("nginx") is not None and LUA_MODULE.exists() and has_varnish()


@contextmanager
def nginx_front(directory: Path, origin: str, *, port: int | None = None) -> Iterator[Front]:
    """nginx before ``origin`` (host:port), with Varnish between them. ``port`` is where it listens; by itself, one
    that is free. Raises BenchError."""
    with ExitStack() as stack:
        behind = stack.enter_context(varnish_front(directory, origin))
        configuration = nginx_configuration(directory, origin, f"{HOST}:{behind.port}", port=port)
        front = stack.enter_context(nginx(configuration))
        yield Front(front.port, front.processes | behind.processes)


@contextmanager
def varnish_front(directory: Path, origin: str) -> Iterator[Front]:
    """Varnish alone before ``origin`` (host:port). Raises BenchError."""
    port, configuration = free_port(), directory / "varnish.vcl"
    configuration.write_text(adapt_varnish((DOCKER / "varnish.vcl").read_text(), origin))
    command = ["varnishd", "-F", "-n", str(directory / "varnish"), "-f", str(configuration), "-a", f"{HOST}:{port}"]
    command += ["-s", "default,256m", "-s", "Transient=default,64m", "-p", "thread_pool_min=50", "-j", "none"]
    with daemon(command, port, directory, missing=MISSING) as pid:
        yield Front(port, {"varnish": pid})


@contextmanager
def nginx(configuration: Path) -> Iterator[Front]:
    """nginx with what :func:`nginx_configuration` wrote. Raises BenchError."""
    found = LISTENS.search(configuration.read_text())
    assert found is not None
    port, directory = int(found[1]), configuration.parent
    with daemon(nginx_command(directory, configuration), port, directory, missing=MISSING) as pid:
        yield Front(port, {"nginx": pid})


def nginx_configuration(
    directory: Path, origin: str, varnish: str, *, port: int | None = None, workers: int | None = None
) -> Path:
    """Written to ``directory``. ``origin`` and ``varnish`` are host:port; ``workers`` None is as many as there are
    processors. Raises BenchError."""
    text = adapt_nginx(
        (DOCKER / "nginx.conf").read_text(), port or free_port(), {ORIGIN: origin, VARNISH: varnish}, directory
    )
    if workers is not None:
        text = _replaced("nginx.conf", text, "worker_processes auto", f"worker_processes {workers}")
    path = directory / "nginx.conf"
    path.write_text(text)
    return path


def adapt_nginx(text: str, port: int, places: dict[str, str], directory: Path) -> str:
    """``places`` are the upstreams that the file names, and where they are. Raises BenchError."""
    for theirs, ours in {"listen 8080": f"listen {HOST}:{port}", **places}.items():
        text = _replaced("nginx.conf", text, theirs, ours)
    text = re.sub(r"(?<![\w./-])/tmp/", f"{directory}/", text)
    text = _replaced("nginx.conf", text, "/etc/nginx/?.lua", f"{DOCKER}/?.lua")
    return text.replace("/var/cache/nginx/", f"{directory}/")


def adapt_varnish(text: str, origin: str) -> str:
    """Raises BenchError."""
    host, _, port = origin.rpartition(":")
    text = _replaced("varnish.vcl", text, '.host = "headwater"', f'.host = "{host}"')
    return _replaced("varnish.vcl", text, '.port = "8080"', f'.port = "{port}"')


def _replaced(file: str, text: str, theirs: str, ours: str) -> str:
    if theirs not in text:
        raise BenchError(f"docker/{file} does not say {theirs}; bring this benchmark up to date with it")
    return text.replace(theirs, ours)
