"""Finding free ports, and waiting until a process listens on one."""

import socket
import subprocess
import time

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        port: int = bound.getsockname()[1]
        return port


def listens(process: "subprocess.Popen[bytes]", port: int, within_s: float) -> bool:
    """Whether ``port`` accepts connections within ``within_s`` seconds, and before ``process`` ends."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(0.05)
    return False
