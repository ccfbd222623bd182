"""The caches of docker/ before the origin, with their files as they are but for the places named there."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stage.daemon import daemon, nginx_command
from bench.stage.errors import BenchError
from bench.stage.ports import HOST, free_port

DOCKER = Path(__file__).parents[2] / "docker"
VARNISH = "varnish:6081"
ORIGIN = "headwater:8080"
MISSING = "nginx or varnish is not installed (Debian: apt-get install nginx varnish); or measure the origin alone"


@dataclass(frozen=True, slots=True)
class Front:
    """Where viewers go, and the first process of each cache by its name."""

    port: int
    processes: dict[str, int]


@contextmanager
def nginx_front(directory: Path, origin: str) -> Iterator[Front]:
    """nginx before ``origin`` (host:port), with Varnish between them where its file says so. Raises BenchError."""
    text, places = (DOCKER / "nginx.conf").read_text(), {ORIGIN: origin}
    with ExitStack() as stack:
        processes: dict[str, int] = {}
        if VARNISH in text:
            varnish = stack.enter_context(varnish_front(directory, origin))
            processes, places[VARNISH] = varnish.processes, f"{HOST}:{varnish.port}"
        port, configuration = free_port(), directory / "nginx.conf"
        configuration.write_text(adapt_nginx(text, port, places, directory))
        command = nginx_command(directory, configuration)
        pid = stack.enter_context(daemon(command, port, directory, missing=MISSING))
        yield Front(port, {"nginx": pid, **processes})


@contextmanager
def varnish_front(directory: Path, origin: str) -> Iterator[Front]:
    """Varnish alone before ``origin`` (host:port). Raises BenchError."""
    port, configuration = free_port(), directory / "varnish.vcl"
    configuration.write_text(adapt_varnish((DOCKER / "varnish.vcl").read_text(), origin))
    command = ["varnishd", "-F", "-f", str(configuration), "-a", f"{HOST}:{port}", "-s", "malloc,256m"]
    command += ["-n", str(directory / "varnish"), "-j", "none"]
    with daemon(command, port, directory, missing=MISSING) as pid:
        yield Front(port, {"varnish": pid})


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
