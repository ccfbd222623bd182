"""Real requests to a small server on this machine."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from control.hooks.sender import Answer, Sender
from origin.api.errors import BadHookTarget
from tests.lab.certificates import Authority
from tests.lab.ports import free_port

HEADERS = {"webhook-id": "msg_1"}
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(slots=True)
class Peer:
    """Answers every request with ``answer``, or never if it is None."""

    port: int = 0
    answer: bytes | None = OK
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    server_name: str | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            self.bodies.append(
                await reader.readexactly(int(head.lower().partition("content-length: ")[2].split()[0]))
            )
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def peer(tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    found = Peer()
    if tls is not None:

        def on_name(_: object, name: str | None, __: object) -> None:
            found.server_name = name

        tls.sni_callback = on_name
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()


def names(*addresses: str) -> Callable[[str, int], "asyncio.Future[tuple[str, ...]]"]:
    def look_up(host: str, port: int) -> "asyncio.Future[tuple[str, ...]]":
        answer: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        answer.set_result(addresses)
        return answer

    return look_up


@asynccontextmanager
async def sending(*addresses: str, allow_private: bool = True, whole_s: float = 5.0) -> AsyncIterator[Sender]:
    sender = Sender(
        names(*(addresses or ("127.0.0.1",))),
        allow_private=lambda: allow_private,
        connect_s=min(3.0, whole_s),
        whole_s=whole_s,
        clock=lambda: 1_795_257_665.0,
    )
    try:
        yield sender
    finally:
        await sender.close()


async def send(sender: Sender, peer: Peer, path: str = "/a?b=c") -> Answer:
    return await sender.send(f"http://hooks.example.org:{peer.port}{path}", HEADERS, b"{}")


async def test_the_request_goes_to_the_checked_address_with_the_name_of_the_host() -> None:
    async with peer() as found, sending() as sender:
        answer = await send(sender, found)
        assert (answer.status, answer.error) == (204, None)
        (head,) = found.heads
        assert head.startswith("POST /a?b=c HTTP/1.1\r\n")
        assert f"host: hooks.example.org:{found.port}\r\n" in head.lower()
        assert "webhook-id: msg_1\r\n" in head.lower()
        assert found.bodies == [b"{}"]


async def test_tls_checks_the_certificate_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = Authority().issue(tmp_path, "hooks.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.root))
    async with peer(certificate.server_context) as found, sending() as sender:
        answer = await sender.send(f"https://hooks.example.org:{found.port}/", HEADERS, b"{}")
        assert (answer.status, answer.error, found.server_name) == (204, None, "hooks.example.org")
        answer = await sender.send(f"https://other.example.org:{found.port}/", HEADERS, b"{}")
        assert answer.status is None and answer.error is not None
        assert "certificate verify failed" in answer.error
        assert len(found.bodies) == 1


async def test_a_private_address_is_refused_when_a_hook_is_added_and_at_each_message() -> None:
    async with peer() as found, sending(allow_private=False) as sender:
        answer = await send(sender, found)
        expected = "hooks.example.org resolves to 127.0.0.1, which is not a public address"
        assert answer.status is None and answer.error is not None
        assert answer.error.startswith(expected)
        with pytest.raises(BadHookTarget, match=expected):
            await sender.check(f"http://hooks.example.org:{found.port}/")
        assert found.heads == []


async def test_redirects_are_not_followed() -> None:
    async with peer() as found, sending() as sender:
        found.answer = f"HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:{found.port}/b\r\n\r\n".encode()
        answer = await send(sender, found)
        assert answer.error == "307 Temporary Redirect: redirects are not followed"
        assert len(found.heads) == 1


async def test_an_endless_body_is_not_read() -> None:
    async with peer() as found, sending() as sender:
        found.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 1000
        assert (await send(sender, found)).error is None


async def test_a_target_that_does_not_answer_is_left_in_time() -> None:
    async with peer() as found, sending(whole_s=0.2) as sender:
        found.answer = None
        answer = await send(sender, found)
        assert (answer.status, answer.error) == (None, "no answer within 0.2 s")
        assert 0.2 <= answer.duration_s < 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 500 Oops\r\n\r\n", "500 Internal Server Error"),
        (b"HTTP/1.1 599 Oops\r\n\r\n", "599"),
        (b"SSH-2.0-OpenSSH\r\n", "the connection failed: "),
        (b"", "the connection failed: "),
        (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n", "the connection failed: "),
    ],
)
async def test_failures_are_in_words(answer: bytes, words: str) -> None:
    async with peer() as found, sending() as sender:
        found.answer = answer
        error = (await send(sender, found)).error
        assert error is not None and error.startswith(words)


async def test_the_next_address_is_tried_if_one_does_not_connect() -> None:
    async with peer() as found, sending("127.0.0.2", "127.0.0.1") as sender:
        assert (await send(sender, found)).status == 204
    async with sending() as sender:
        answer = await sender.send(f"http://hooks.example.org:{free_port()}/", HEADERS, b"{}")
        assert answer.error is not None and answer.error.startswith("no connection: ")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Sat, 21 Nov 2026 12:41:05 GMT", 7200.0),
        ("Sat, 21 Nov 2020 12:41:05 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("9" * 40, 999_999_999.0),
    ],
)
async def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    async with peer() as found, sending() as sender:
        found.answer = f"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\n\r\n".encode()
        answer = await send(sender, found)
        assert answer.error == "503 Service Unavailable"
        assert answer.retry_after_s == seconds


async def test_a_missing_file_of_certificates_is_named_and_may_come_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = Authority().issue(tmp_path, "hooks.example.org")
    async with peer(certificate.server_context) as found, sending() as sender:
        url = f"https://hooks.example.org:{found.port}/"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
        answer = await sender.send(url, HEADERS, b"{}")
        assert answer.error is not None and answer.error.startswith("the certificates to check targets with cannot")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.root))
        assert (await sender.send(url, HEADERS, b"{}")).status == 204
