"""The ready message on standard output: the settings for OBS, and the pages' addresses."""

import json

from control.composition import FIRST_STREAM, Server
from control.version import version


def print_ready(server: Server, *, json_output: bool) -> None:
    """Print the message, or with ``json_output`` one line of JSON with the URLs to use from this machine."""
    if json_output:
        print(json.dumps({"event": "ready", "rtmp": server.rtmp, "http": server.http}), flush=True)
    else:
        print(ready_text(server), flush=True)


def ready_text(server: Server) -> str:
    key = server.first_key or "(kept by the first run; `headwater rotate-key live` makes a new one)"
    lines = [
        "",
        f"Headwater {version()} is ready.",
        "",
        "  In OBS: Settings, Stream, Service: Custom…",
        f"    Server      {server.rtmp_line}",
        f"    Stream Key  {key}",
        "",
        f"  Watch       {server.public_url}/watch/{FIRST_STREAM}",
        f"  Dashboard   {server.public_url}/   (token: {server.token_file})",
        "",
    ]
    return "\n".join(lines)
