"""The caches of docker/ in front of the origin: the same files, with only addresses and directories replaced."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.certificates import Certificate
from tests.lab.daemon import daemon, nginx_command
from tests.lab.errors import LabError
from tests.lab.ports import HOST, free_port
from tests.lab.programs import find_program

DOCKER = Path(__file__).parents[2] / "docker"
LUA_MODULE = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")
VARNISH = "varnish:6081"
ORIGIN = "headwater:8080"
MISSING = "nginx or varnish is not installed (Debian: apt-get install nginx varnish); or measure the origin alone"
LISTENS = re.compile(rf"listen {re.escape(HOST)}:(\d+)")
FILLS = "127.0.0.1:8079"
TLS_LISTENS = "listen 8443"


@dataclass(frozen=True, slots=True)
class Front:
    """The port for viewers, and the first process of each cache by name. nginx has a port for operators too."""

    port: int
    processes: dict[str, int]
    operators: int | None = None


def has_varnish() -> bool:
    return find_program("varnishd") is not None


def has_nginx() -> bool:
    """Whether all that docker/nginx.conf needs is installed: nginx, its Lua module, and Varnish behind it."""
    return find_program("nginx") is not None and LUA_MODULE.exists() and has_varnish()


@contextmanager
def nginx_front(directory: Path, origin: str, *, port: int | None = None) -> Iterator[Front]:
    """nginx in front of ``origin`` (host:port), with Varnish between them; on a free port if ``port`` is None.

    Raises LabError.
    """
    with ExitStack() as stack:
        behind = stack.enter_context(varnish_front(directory, origin))
        configuration = nginx_configuration(directory, origin, f"{HOST}:{behind.port}", port=port)
        front = stack.enter_context(nginx(configuration))
        yield Front(front.port, front.processes | behind.processes)


@contextmanager
def varnish_front(directory: Path, origin: str) -> Iterator[Front]:
    """Varnish alone in front of ``origin`` (host:port). Raises LabError."""
    port, configuration = free_port(), directory / "varnish.vcl"
    configuration.write_text(adapt_varnish((DOCKER / "varnish.vcl").read_text(), origin))
    command = ["varnishd", "-F", "-n", str(directory / "varnish"), "-f", str(configuration), "-a", f"{HOST}:{port}"]
    command += ["-s", "default,256m", "-s", "Transient=default,64m", "-p", "thread_pool_min=50", "-j", "none"]
    with daemon(command, port, directory, missing=MISSING) as pid:
        yield Front(port, {"varnish": pid})


@contextmanager
def nginx(configuration: Path) -> Iterator[Front]:
    """nginx with a file of :func:`nginx_configuration`. Raises LabError."""
    port, _, operators = map(int, LISTENS.findall(configuration.read_text()))
    directory = configuration.parent
    with daemon(nginx_command(directory, configuration), port, directory, missing=MISSING) as pid:
        yield Front(port, {"nginx": pid}, operators)


def add_tls(configuration: Path, certificate: Certificate) -> int:
    """Set up HTTPS as docker/tls.conf does; returns its port. Raises LabError."""
    port, text = free_port(), (DOCKER / "tls.conf").read_text()
    replacements = {
        TLS_LISTENS: f"listen {HOST}:{port}",
        "/etc/nginx/tls/fullchain.pem;": f"{certificate.chain};",
        "/etc/nginx/tls/privkey.pem;": f"{certificate.key};",
    }
    for theirs, ours in replacements.items():
        text = _replaced("tls.conf", text, theirs, ours)
    included = configuration.parent / "server.d"
    included.mkdir()
    (included / "tls.conf").write_text(text)
    return port


def nginx_configuration(
    directory: Path, origin: str, varnish: str, *, port: int | None = None, workers: int | None = None
) -> Path:
    """Written to ``directory``. ``origin`` and ``varnish`` are host:port; ``workers`` None starts one for each
    processor. Raises LabError."""
    text = adapt_nginx(
        (DOCKER / "nginx.conf").read_text(), port or free_port(), {ORIGIN: origin, VARNISH: varnish}, directory
    )
    if workers is not None:
        text = _replaced("nginx.conf", text, "worker_processes auto", f"worker_processes {workers}")
    path = directory / "nginx.conf"
    path.write_text(text)
    return path


def adapt_nginx(text: str, port: int, places: dict[str, str], directory: Path) -> str:
    """``places`` maps the upstreams in the file to their addresses. Raises LabError."""
    replacements = {
        "listen 8080": f"listen {HOST}:{port}",
        FILLS: f"{HOST}:{free_port()}",
        "listen 8081": f"listen {HOST}:{free_port()}",
        **places,
    }
    for theirs, ours in replacements.items():
        text = _replaced("nginx.conf", text, theirs, ours)
    text = re.sub(r"(?<![\w./-])/tmp/", f"{directory}/", text)
    text = _replaced("nginx.conf", text, "/etc/nginx/?.lua", f"{DOCKER}/?.lua")
    text = _replaced("nginx.conf", text, "/etc/nginx/server.d/", f"{directory}/server.d/")
    return text.replace("/var/cache/nginx/", f"{directory}/")


def adapt_varnish(text: str, origin: str) -> str:
    """Raises LabError."""
    host, _, port = origin.rpartition(":")
    text = _replaced("varnish.vcl", text, '.host = "headwater"', f'.host = "{host}"')
    return _replaced("varnish.vcl", text, '.port = "8080"', f'.port = "{port}"')


def _replaced(file: str, text: str, theirs: str, ours: str) -> str:
    if theirs not in text:
        raise LabError(f"docker/{file} does not contain {theirs!r}; adapt tests/lab/front.py to it")
    return text.replace(theirs, ours)
