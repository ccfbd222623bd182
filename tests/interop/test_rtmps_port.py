"""The port for RTMPS: the sessions of real encoders in TLS, and what a connection without a key may cost."""

import asyncio
from collections.abc import Callable

import pytest

import ingest.publisher
from ingest.errors import PublishRefused
from ingest.interface import EndReason
from ingest.rtmp.message import Message, MessageType
from tests.interop.sessions import SESSIONS, Session, obs
from tests.interop.test_rtmp_port import Handler, ended, listening, publishing
from tests.lab.certificates import Authority, Certificate
from tests.unit.ingest.wire import HANDSHAKE, command

# More than the opening of a session.
LITTLE = 10_000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Authority().issue(tmp_path_factory.mktemp("certificates"), "127.0.0.1")


@pytest.mark.parametrize("make", SESSIONS)
async def test_complete_broadcast(certificate: Certificate, make: Callable[[], Session]) -> None:
    async with listening(certificate=certificate) as port:
        session = make()
        client, publication = await publishing(port, session)
        client.send(session.closing)
        assert await ended(publication) is EndReason.UNPUBLISHED
        await client.close()
        total = len(session.opening) + len(session.media) + len(session.closing)
        assert port.handler.links[0].bytes_received == total
        assert len(publication.units) == 30 + 46
        assert port.refused == []
        assert [request.encrypted for request in port.handler.requests] == [True]


async def test_after_a_long_publication_the_connection_may_publish_again(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.publisher, "MAX_BEFORE_PUBLISH", LITTLE)
    async with listening(certificate=certificate) as port:
        session = obs()
        client, publication = await publishing(port, session)
        client.send(
            client.chunks.message(4, Message(MessageType.AUDIO, 1, 2000, b"\xaf\x01" + bytes(2 * LITTLE)), 0)
        )
        client.send(session.closing)
        assert await ended(publication) is EndReason.UNPUBLISHED
        while (await client.status())[0] != "NetStream.Unpublish.Success":
            continue
        client.send_messages(command("createStream", 8.0, None), command("publish", 9.0, None, "again", on=2))
        while (await client.status())[0] != "NetStream.Publish.Start":
            continue
        await client.close()


async def test_a_connection_without_a_key_may_not_make_the_server_decrypt_much(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.publisher, "MAX_BEFORE_PUBLISH", LITTLE)
    async with listening(certificate=certificate) as port:
        client = await port.connect()
        client.send(HANDSHAKE + b"\x02" + bytes(LITTLE))
        await client.closed()
        assert port.refused == ["too-much-before-publish"]


async def test_what_a_refused_publisher_goes_on_to_send_is_not_kept(certificate: Certificate) -> None:
    async with listening(handler=Handler(refuse), certificate=certificate) as port:
        client = await port.connect()
        client.request_publish()
        assert (await client.status())[0] == "NetStream.Publish.BadName"
        (publisher,) = port.server._shared.publishers
        client.send(bytes(1_000_000))
        await client.drain()
        await asyncio.sleep(0.1)
        assert publisher._tls is not None and publisher._tls._incoming.pending == 0
        await client.closed()


async def refuse(request: object) -> None:
    raise PublishRefused("no")
