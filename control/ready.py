"""The ready message on standard output: the settings for OBS, and the pages' addresses.

The stream key is printed at the first run, or to a terminal: the output of a service goes to a log, which more
people read.
"""

import json
import sys
from collections.abc import Callable

from control.composition import Server
from control.version import version


def print_ready(server: Server, write: Callable[[str], object], *, json_output: bool) -> None:
    """Write the message, or with ``json_output`` one line of JSON with the URLs to use from this machine."""
    if json_output:
        text = json.dumps({"event": "ready", "rtmp": server.rtmp, "http": server.http})
    else:
        text = ready_text(server, show_key=server.is_first_run or sys.stdout.isatty())
    write(f"{text}\n")


def ready_text(server: Server, *, show_key: bool) -> str:
    if server.first_stream is None:
        key, watch = "(`headwater create NAME` makes a stream and prints its key)", "/watch/NAME"
    else:
        key = server.first_key or f"(shown once; `headwater rotate-key {server.first_stream}` makes a new one)"
        if server.first_key is not None and not show_key:
            key = f"(in {server.key_file})"
        watch = f"/watch/{server.first_stream}"
    lines = [
        "",
        f"Headwater {version()} is ready.",
        "",
        "  In OBS: Settings, Stream, Service: Custom…",
        f"    Server      {server.rtmp_line}",
        f"    Stream Key  {key}",
        "",
        f"  Watch       {server.public_url}{watch}",
        f"  Dashboard   {server.public_url}/   (token: {server.token_file})",
        "",
    ]
    return "\n".join(lines)
