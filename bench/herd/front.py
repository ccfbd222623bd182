"""The caches of docker/ before the origin, with their files as they are but for the places named there."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import geteuid
from pathlib import Path

from bench.herd.errors import HerdError

DOCKER = Path(__file__).parents[2] / "docker"
PROGRAMS = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/bin"
HOST = "127.0.0.1"
VARNISH = "varnish:6081"
ORIGIN = "headwater:8080"
START_S = 10.0


@dataclass(frozen=True, slots=True)
class Front:
    """Where viewers go, and the first process of each cache by its name."""

    port: int
    processes: dict[str, int]


@contextmanager
def nginx_front(directory: Path, origin: str) -> Iterator[Front]:
    """nginx before ``origin`` (host:port), with Varnish between them where its file says so. Raises HerdError."""
    text, places = (DOCKER / "nginx.conf").read_text(), {ORIGIN: origin}
    with ExitStack() as stack:
        processes: dict[str, int] = {}
        if VARNISH in text:
            varnish = stack.enter_context(varnish_front(directory, origin))
            processes, places[VARNISH] = varnish.processes, f"{HOST}:{varnish.port}"
        port, configuration = free_port(), directory / "nginx.conf"
        configuration.write_text(adapt_nginx(text, port, places, directory))
        # As root, nginx would give its files to a user that cannot enter the directory.
        user = " user root;" if geteuid() == 0 else ""
        command = ["nginx", "-p", str(directory), "-c", str(configuration), "-g", f"daemon off;{user}"]
        yield Front(port, {"nginx": stack.enter_context(_running(command, port, directory)), **processes})


@contextmanager
def varnish_front(directory: Path, origin: str) -> Iterator[Front]:
    """Varnish alone before ``origin`` (host:port). Raises HerdError."""
    port, configuration = free_port(), directory / "varnish.vcl"
    configuration.write_text(adapt_varnish((DOCKER / "varnish.vcl").read_text(), origin))
    command = ["varnishd", "-F", "-f", str(configuration), "-a", f"{HOST}:{port}", "-s", "malloc,256m"]
    command += ["-n", str(directory / "varnish"), "-j", "none"]
    with _running(command, port, directory) as pid:
        yield Front(port, {"varnish": pid})


def adapt_nginx(text: str, port: int, places: dict[str, str], directory: Path) -> str:
    """``places`` are the upstreams that the file names, and where they are. Raises HerdError."""
    for theirs, ours in {"listen 8080": f"listen {HOST}:{port}", **places}.items():
        text = _replaced("nginx.conf", text, theirs, ours)
    text = re.sub(r"(?<![\w./-])/tmp/", f"{directory}/", text)
    text = _replaced("nginx.conf", text, "/etc/nginx/?.lua", f"{DOCKER}/?.lua")
    return text.replace("/var/cache/nginx/", f"{directory}/")


def adapt_varnish(text: str, origin: str) -> str:
    """Raises HerdError."""
    host, _, port = origin.rpartition(":")
    text = _replaced("varnish.vcl", text, '.host = "headwater"', f'.host = "{host}"')
    return _replaced("varnish.vcl", text, '.port = "8080"', f'.port = "{port}"')


def _replaced(file: str, text: str, theirs: str, ours: str) -> str:
    if theirs not in text:
        raise HerdError(f"docker/{file} does not say {theirs}; bring this benchmark up to date with it")
    return text.replace(theirs, ours)


@contextmanager
def _running(command: list[str], port: int, directory: Path) -> Iterator[int]:
    """The process that listens on ``port``, ended with the block."""
    name = command[0]
    program = shutil.which(name, path=PROGRAMS)
    if program is None:
        raise HerdError(f"{name} is not installed (Debian: apt-get install nginx varnish); or measure --via origin")
    log = directory / f"{name}.log"
    with log.open("wb") as errors:
        process = subprocess.Popen([program, *command[1:]], stdout=subprocess.DEVNULL, stderr=errors)
    try:
        if not _listens(process, port):
            raise HerdError(f"{name} did not start: {log.read_text()}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(0.05)
    return False


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        port: int = bound.getsockname()[1]
        return port
