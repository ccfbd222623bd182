"""The machine: versions, ports, descriptors, disks and clock."""

import ctypes
import ctypes.util
import errno
import os
import platform
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx

from control.config import Address, Config
from control.datadir import DataDir
from control.descriptors import raise_descriptor_limit, share
from control.doctor.finding import Finding, fault, good, warning
from control.headroom import measure
from control.options import thumbnail_limits, wanted_connections
from control.version import version
from transcoder.errors import WorkerUnavailable
from transcoder.libraries import find_libraries

ANSWER_S = 5.0
# adjtimex(2): the kernel's clock is not synchronised. The structure is smaller than this on every platform.
TIME_ERROR = 5
TIMEX_SIZE = 512


def versions(config: Config) -> Iterator[Finding]:
    python = f"Headwater {version()}, Python {platform.python_version()}"
    try:
        libraries = find_libraries(thumbnail_limits(config))
    except WorkerUnavailable as error:
        yield fault("versions", f"{python}; {error}", "install Headwater again: make setup")
    else:
        yield good("versions", f"{python}, PyAV {libraries.pyav}, FFmpeg {libraries.ffmpeg}")


def ports(config: Config) -> Iterator[Finding]:
    running = is_running(config)
    wanted = {"HTTP": (config.http.listen, "[http] listen")}
    if config.rtmp.listen is not None:
        wanted["RTMP"] = (config.rtmp.listen, "[rtmp] listen")
    if config.rtmps.certificate is not None:
        wanted["RTMPS"] = (config.rtmps.listen, "[rtmps] listen")
    for protocol, (address, option) in wanted.items():
        subject = f"port for {protocol}"
        reason = _unavailable(address)
        if reason is None:
            yield good(subject, f"{address} is free")
        elif reason == errno.EADDRINUSE and running:
            yield good(subject, f"{address}: the server is running")
        elif reason == errno.EADDRINUSE:
            yield fault(subject, f"{address} is in use by another program", f"stop it, or change {option}")
        else:
            yield fault(subject, f"{address}: {os.strerror(reason).lower()}", f"change {option}")


def is_running(config: Config) -> bool:
    """Whether the data directory's server answers."""
    server = DataDir(config.data).server()
    if server is None:
        return False
    try:
        return httpx.get(f"{server.http}/healthz", timeout=ANSWER_S).status_code == 200
    except httpx.HTTPError:
        return False


def _unavailable(address: Address) -> int | None:
    """The errno of why a socket cannot listen on ``address``, or None."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        socket.create_server((address.host, address.port), family=family).close()
    except OSError as error:
        return error.errno or errno.EINVAL
    return None


def descriptors(config: Config) -> Iterator[Finding]:
    limit, wanted = raise_descriptor_limit(), wanted_connections(config)
    allowed = share(limit, wanted)
    text = f"{limit} open files allow {allowed.http} HTTP connections and {allowed.publishers} publishers"
    if allowed == wanted:
        yield good("open files", text)
    else:
        advice = "raise it (ulimit -n, LimitNOFILE), or lower [http] max_connections and [rtmp] max_publishers"
        yield warning("open files", f"{text}; {wanted.http} and {wanted.publishers} are configured", advice)


def disks(directories: Iterable[Path]) -> Iterator[Finding]:
    existing = {_existing(directory) for directory in directories}
    full = [text for about, text in measure(existing).items() if about != "descriptors"]
    for text in full:
        yield warning("disk", text, "free some space, or keep the media elsewhere: [store] location, [store] spool")
    if not full:
        yield good("disk", f"there is room for {', '.join(sorted(map(str, existing)))}")


def _existing(directory: Path) -> Path:
    """The directory, or the nearest one above it that exists."""
    directory = directory.absolute()
    return directory if directory.exists() else _existing(directory.parent)


def clock() -> Iterator[Finding]:
    """Low-latency DASH needs a clock that agrees with those of the viewers."""
    library = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    if not hasattr(library, "adjtimex"):
        return
    if library.adjtimex(ctypes.create_string_buffer(TIMEX_SIZE)) == TIME_ERROR:
        advice = "install chrony or systemd-timesyncd; in a container, on the host"
        yield warning("clock", "the clock is not synchronised by NTP, as far as the kernel knows", advice)
    else:
        yield good("clock", "it is synchronised")
