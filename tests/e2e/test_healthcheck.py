"""The health check of the image, against a real server and against ones that are not well."""

import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.lab.ports import free_port
from tests.lab.server import serving

SCRIPT = Path(__file__).parents[2] / "docker" / "healthcheck.bash"
# That of the Dockerfile's HEALTHCHECK.
TIMEOUT_S = 5


def is_healthy(listen: str) -> bool:
    environment = {"HEADWATER_HTTP__LISTEN": listen}
    checked = subprocess.run([SCRIPT], env=environment, timeout=TIMEOUT_S, check=False, capture_output=True)
    return checked.returncode == 0


def test_a_server_is_healthy_while_it_runs(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        listen = f"0.0.0.0:{server.http_port}"
        assert is_healthy(listen)
        server.stop()
    assert not is_healthy(listen)


def test_nothing_listens() -> None:
    assert not is_healthy(f"0.0.0.0:{free_port()}")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"", b"nonsense\n"])
def test_another_answer_is_not_healthy(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_once, args=(listener, answer))
        thread.start()
        assert not is_healthy(f"[::]:{listener.getsockname()[1]}")
        thread.join()


def answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(answer)


def test_a_server_that_does_not_answer_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        since = time.monotonic()
        assert not is_healthy(f"0.0.0.0:{listener.getsockname()[1]}")
        assert time.monotonic() - since < TIMEOUT_S
