"""RTMPS with a real ffmpeg and a real OBS, which check the certificate's chain."""

import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.lab import obs
from tests.lab.broadcaster import Clip, make_clip, play
from tests.lab.certificates import Authority, Certificate
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.server import Server, serving
from tests.lab.waiting import until

CLIP = Clip(6, size="320x180", video_kbps=300)
NEEDS_OBS = pytest.mark.skipif(obs.missing() is not None, reason=f"{obs.missing()} is not installed")
NEEDS_MOUNTS = pytest.mark.skipif(not obs.can_trust(), reason="unshare(1) may not mount a certificate here")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(CLIP, tmp_path_factory.mktemp("clips") / "clip.flv")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def files(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return authority.issue(tmp_path_factory.mktemp("certificates"), "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def server(files: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with rtmps(files, tmp_path_factory.mktemp("rtmps")) as server:
        yield server


@contextmanager
def rtmps(files: Certificate, data: Path, *, rtmp: str = "127.0.0.1:0") -> Iterator[Server]:
    environment = {
        "HEADWATER_RTMP__PUBLIC_HOST": "localhost",
        "HEADWATER_RTMP__TRUSTED_PROXIES": "127.0.0.2",
        "HEADWATER_RTMPS__LISTEN": "127.0.0.1:0",
        "HEADWATER_RTMPS__CERTIFICATE": str(files.chain),
        "HEADWATER_RTMPS__KEY": str(files.key),
    }
    with serving(data, environment=environment, rtmp=rtmp) as server:
        yield server


@contextmanager
def publishing(clip: Path, url: str, root: Path, *, loop: bool = False) -> Iterator[subprocess.Popen[str]]:
    """ffmpeg, which ends with an error if the chain does not lead to ``root``."""
    command = [
        ffmpeg_path(),
        "-hide_banner",
        "-loglevel",
        "error",
        "-re",
        *(["-stream_loop", "-1"] if loop else []),
    ]
    command += ["-i", str(clip), "-c", "copy", "-f", "flv", "-tls_verify", "1", "-ca_file", str(root), url]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def url_of(server: Server, stream: str) -> str:
    created = server.json("create", stream)
    assert created["server"].startswith("rtmps://localhost:")
    return f"{created['server']}/{created['key']}"


def state(server: Server, stream: str) -> str:
    shown = server.json("show", stream)
    return str(shown["state"])


def refused(server: Server, code: str) -> bool:
    return f'headwater_publishers_refused_total{{code="{code}"}}' in httpx.get(f"{server.http}/metrics").text


def connect(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=10)


def presented(url: str) -> str:
    return ssl.get_server_certificate(("127.0.0.1", urlsplit(url).port or 0))


def test_a_broadcast_over_rtmps_is_complete(server: Server, files: Certificate, clip: Path) -> None:
    with publishing(clip, url_of(server, "studio"), files.root) as publisher:
        assert publisher.wait(60) == 0, publisher.stderr and publisher.stderr.read()
    until(lambda: state(server, "studio") == "idle", timeout=30)
    played = play(server.json("broadcasts", "studio")[0]["hls"])
    assert (played.frames, played.errors) == (CLIP.seconds * CLIP.fps, "")


def test_a_publisher_that_does_not_trust_the_root_is_explained(server: Server, clip: Path, tmp_path: Path) -> None:
    other = Authority().issue(tmp_path, "localhost")
    with publishing(clip, url_of(server, "doubter"), other.root) as publisher:
        assert publisher.wait(30) != 0
    until(lambda: refused(server, "tls-failed"))


def test_a_plain_publisher_on_the_encrypted_port_is_refused_with_the_reason(server: Server) -> None:
    url = url_of(server, "plain")
    with connect(url) as plain:
        plain.sendall(b"\x03" + bytes(1536))
        while plain.recv(4096):
            pass
    until(lambda: "use rtmps:// in the server's address" in (server.data / "server.log").read_text())


def test_a_new_certificate_disconnects_nobody(authority: Authority, clip: Path, tmp_path: Path) -> None:
    files = authority.issue(tmp_path / "certificates", "localhost", "127.0.0.1")
    with rtmps(files, tmp_path / "data") as server:
        url = url_of(server, "studio")
        with publishing(clip, url, files.root, loop=True) as publisher:
            until(lambda: state(server, "studio") == "live", timeout=30)
            before, broadcast = presented(url), server.json("show", "studio")["broadcast"]
            authority.issue(tmp_path / "certificates", "localhost", "127.0.0.1")
            until(lambda: presented(url) != before, timeout=30)
            shown = server.json("show", "studio")
            assert (shown["state"], shown["broadcast"]) == ("live", broadcast)
            assert publisher.poll() is None
        with publishing(clip, url_of(server, "later"), files.root) as publisher:
            until(lambda: state(server, "later") == "live", timeout=30)


def test_plain_rtmp_can_be_off(files: Certificate, clip: Path, tmp_path: Path) -> None:
    with rtmps(files, tmp_path / "data", rtmp="off") as server:
        url = url_of(server, "studio")
        assert server.rtmp.startswith("rtmps://")
        with publishing(clip, url, files.root):
            until(lambda: state(server, "studio") == "live", timeout=30)


def test_a_balancer_names_the_client_before_the_handshake(server: Server, files: Certificate) -> None:
    url = url_of(server, "balanced")
    header = struct.pack(
        "!12sBBH4s4sHH", b"\r\n\r\n\x00\r\nQUIT\n", 0x21, 0x11, 12, b"\xcb\x00\x71\x07", bytes(4), 5, 6
    )
    client = ssl.create_default_context(cafile=str(files.root))
    plain = socket.create_connection(
        ("127.0.0.1", urlsplit(url).port or 0), timeout=10, source_address=("127.0.0.2", 0)
    )
    with plain:
        plain.sendall(header)
        with client.wrap_socket(plain, server_hostname="localhost") as encrypted:
            encrypted.sendall(b"\x03" + bytes(1536))
            assert encrypted.recv(1) == b"\x03"
            encrypted.sendall(b"GET / HTTP/1.1\r\n" * 500)
            while encrypted.recv(4096):
                pass
    until(lambda: "203.0.113.7:5" in (server.data / "server.log").read_text())


@NEEDS_OBS
@NEEDS_MOUNTS
def test_obs_publishes_and_checks_the_chain(server: Server, files: Certificate, tmp_path: Path) -> None:
    created = server.json("create", "from-obs")
    with obs.obs_publishing(tmp_path, created["server"], created["key"], root=files.root) as publisher:
        until(lambda: state(server, "from-obs") == "live", timeout=60)
        assert server.json("show", "from-obs")["publisher"]["software"].startswith("obs-output module")
        assert publisher.process.poll() is None


@NEEDS_OBS
@NEEDS_MOUNTS
def test_obs_refuses_a_chain_that_it_does_not_know(server: Server, tmp_path: Path) -> None:
    other = Authority().issue(tmp_path / "other", "localhost")
    created = server.json("create", "doubting-obs")
    with obs.obs_publishing(tmp_path, created["server"], created["key"], root=other.root) as publisher:
        until(lambda: "Connection to" in publisher.log() and "failed" in publisher.log(), timeout=60)
        assert "Cert verify failed" in publisher.log()
    assert state(server, "doubting-obs") == "idle"
