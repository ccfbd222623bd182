"""The RTMP port with real sockets: who gets in, who is told what, and how every publication ends."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest

from ingest import (
    EndReason,
    IngestOptions,
    IngestServer,
    PublisherLink,
    PublishRefused,
    PublishRequest,
)
from ingest.rtmp.amf0 import Value, decode
from ingest.rtmp.message import Message, MessageType
from tests.interop.sessions import KEY, SESSIONS, Session, ffmpeg, obs
from tests.unit.ingest.samples import Recorder
from tests.unit.ingest.wire import HANDSHAKE, Answers, ChunkWriter, command, control

SOON = 5.0
PATIENT = IngestOptions(linger_timeout=0.1)
FAST = IngestOptions(
    handshake_timeout=0.2,
    connect_timeout=0.2,
    publish_timeout=0.2,
    authorize_timeout=0.2,
    idle_timeout=0.2,
    linger_timeout=0.2,
)
HEVC = Message(MessageType.VIDEO, 1, 0, b"\x90hvc1" + bytes(20))


class Told(Recorder):
    """A publication whose end can be awaited."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = asyncio.Event()
        self.started = asyncio.Event()
        self.text = ""

    def on_video_config(self, config: object) -> None:
        self.calls.append(("video-config", config))
        self.started.set()

    def on_end(self, reason: EndReason, text: str) -> None:
        super().on_end(reason, text)
        self.text = text
        self.ended.set()


@dataclass
class Handler:
    """Lets everybody in, unless ``decide`` is another."""

    decide: Callable[[PublishRequest], Awaitable[None]] | None = None
    requests: list[PublishRequest] = field(default_factory=list)
    links: list[PublisherLink] = field(default_factory=list)
    publications: list[Told] = field(default_factory=list)

    async def authorize(self, request: PublishRequest, link: PublisherLink) -> Told:
        self.requests.append(request)
        self.links.append(link)
        if self.decide is not None:
            await self.decide(request)
        self.publications.append(Told())
        return self.publications[-1]


@dataclass
class Port:
    server: IngestServer
    handler: Handler
    address: tuple[str, int]
    refused: list[str]

    async def connect(self) -> "Client":
        reader, writer = await asyncio.open_connection(*self.address)
        return Client(reader, writer)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._answers = Answers()
        self._heard: list[list[Value]] = []
        self.chunks = ChunkWriter()

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def say(self, *messages: Message) -> None:
        self.send(b"".join(self.chunks.message(8, message, 0) for message in messages))

    def open(self, key: str = KEY, app: str = "live") -> None:
        self.send(HANDSHAKE)
        self.say(command("connect", 1.0, {"app": app}), command("publish", 2.0, None, key, on=1))

    async def status(self) -> tuple[str, str]:
        """Code and description of the next onStatus."""
        async with asyncio.timeout(SOON):
            while True:
                for values in self._heard:
                    if values[0] == "onStatus" and isinstance(information := values[3], dict):
                        self._heard.remove(values)
                        return str(information["code"]), str(information["description"])
                data = await self._reader.read(65536)
                assert data, "the server closed without a status"
                self._heard += [
                    decode(message.payload)
                    for message in self._answers.messages(data)
                    if message.type_id == MessageType.COMMAND_AMF0
                ]

    async def closed(self) -> None:
        """Wait for the server to close or reset."""
        async with asyncio.timeout(SOON):
            try:
                while await self._reader.read(65536):
                    pass
            except ConnectionError:
                pass

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@asynccontextmanager
async def listening(options: IngestOptions | None = None, handler: Handler | None = None) -> AsyncIterator[Port]:
    handler, refused = handler or Handler(), list[str]()
    server = IngestServer(handler, options or PATIENT, on_refused=refused.append)
    try:
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        await server.start(listener, backlog=16)
        yield Port(server, handler, address, refused)
    finally:
        await server.close()


async def ended(told: Told) -> EndReason:
    async with asyncio.timeout(SOON):
        await told.ended.wait()
    reasons = told.all("end")
    assert len(reasons) == 1
    assert told.names[-1] == "end"
    reason = reasons[0]
    assert isinstance(reason, EndReason)
    return reason


async def publishing(port: Port, session: Session | None = None) -> tuple[Client, Told]:
    client = await port.connect()
    session = session or obs()
    client.send(session.opening)
    assert (await client.status())[0] == "NetStream.Publish.Start"
    client.send(session.media)
    told = port.handler.publications[-1]
    async with asyncio.timeout(SOON):
        await told.started.wait()
    client.chunks.chunk_size = 65536 if session.name == "ffmpeg" else 4096
    return client, told


@pytest.mark.parametrize("make", SESSIONS)
async def test_a_broadcast(make: Callable[[], Session]) -> None:
    async with listening() as port:
        session = make()
        client, told = await publishing(port, session)
        client.send(session.closing)
        assert await ended(told) is EndReason.UNPUBLISHED
        await client.close()
        (request,) = port.handler.requests
        assert (request.app, request.key, request.software) == ("live", KEY, session.software)
        assert request.address == port.handler.links[0].address
        assert request.address.startswith("127.0.0.1:")
        assert KEY not in repr(request)
        total = len(session.opening) + len(session.media) + len(session.closing)
        assert port.handler.links[0].bytes_received == total
        assert len(told.units) == 30 + 46
        assert told.names[0] == "metadata"
        assert port.refused == []


async def test_nothing_is_read_before_the_decision() -> None:
    decided = asyncio.Event()

    async def wait(request: PublishRequest) -> None:
        await decided.wait()

    async with listening(handler=Handler(wait)) as port:
        client = await port.connect()
        session = obs()
        client.send(session.opening + session.media)
        client.chunks.chunk_size = 4096
        # Much more than socket buffers hold: it has to wait in the client.
        client.send(client.chunks.message(6, Message(MessageType.VIDEO, 1, 0, bytes(8_000_000)), 0))
        while not port.handler.links:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert port.handler.links[0].bytes_received < 1_000_000
        decided.set()
        assert (await client.status())[0] == "NetStream.Publish.Start"
        await client.close()
        assert await ended(port.handler.publications[0]) is EndReason.LOST


async def test_a_refused_key_is_told_and_closed() -> None:
    async def refuse(request: PublishRequest) -> None:
        raise PublishRefused("That stream key has been rotated")

    async with listening(handler=Handler(refuse)) as port:
        client = await port.connect()
        client.open()
        assert await client.status() == ("NetStream.Publish.BadName", "That stream key has been rotated")
        await client.closed()
        await client.close()
        assert port.refused == ["publish-refused"]


@pytest.mark.parametrize(
    ("app", "key", "code", "word"),
    [
        ("other", KEY, "wrong-app", "/live"),
        ("", KEY, "wrong-app", "/live"),
        ("live", "", "no-key", "Stream Key"),
        ("live", "k" * 257, "key-too-long", "Stream Key"),
    ],
)
async def test_requests_that_need_no_handler(app: str, key: str, code: str, word: str) -> None:
    async with listening() as port:
        client = await port.connect()
        client.open(key, app)
        status, text = await client.status()
        assert status == "NetStream.Publish.BadName"
        assert word in text
        assert not key or key not in text
        await client.closed()
        await client.close()
        assert port.refused == [code]
        assert port.handler.requests == []


async def test_a_handler_that_fails_or_hangs_refuses() -> None:
    async def fail(request: PublishRequest) -> None:
        if request.key == "hang":
            await asyncio.Event().wait()
        raise RuntimeError("the handler's own mistake")

    async with listening(FAST, Handler(fail)) as port:
        for key, code in (("fail", "authorize-failed"), ("hang", "authorize-timeout")):
            client = await port.connect()
            client.open(key)
            status, text = await client.status()
            assert status == "NetStream.Publish.BadName"
            assert "try again" in text
            await client.close()
            assert port.refused[-1] == code


@pytest.mark.parametrize("reason", [EndReason.KICKED, EndReason.TAKEN_OVER])
async def test_a_kick_is_told_and_ends_at_once(reason: EndReason) -> None:
    async with listening() as port:
        client, told = await publishing(port)
        port.handler.links[0].kick("Another encoder took over", reason)
        assert told.all("end") == [reason]
        assert await client.status() == ("NetStream.Publish.Rejected", "Another encoder took over")
        await client.closed()
        port.handler.links[0].kick("again")
        await client.close()
        assert told.all("end") == [reason]


async def test_a_kick_out_of_the_publications_own_call() -> None:
    async with listening() as port:
        client, told = await publishing(port)
        told.on_dropped = lambda reason: port.handler.links[0].kick(reason)  # type: ignore[method-assign]
        units = len(told.units)
        client.say(Message(MessageType.VIDEO, 1, 2000, b""))
        client.send(obs().media)
        assert await ended(told) is EndReason.KICKED
        await client.closed()
        await client.close()
        assert len(told.units) <= units + 76
        assert told.names[-1] == "end"


async def test_a_kick_before_the_decision_holds() -> None:
    asked, decided = asyncio.Event(), asyncio.Event()

    async def wait(request: PublishRequest) -> None:
        asked.set()
        await decided.wait()

    async with listening(handler=Handler(wait)) as port:
        client = await port.connect()
        client.open()
        await asked.wait()
        port.handler.links[0].kick("no more")
        assert await client.status() == ("NetStream.Publish.Rejected", "no more")
        decided.set()
        await client.closed()
        await client.close()
        assert await ended(port.handler.publications[0]) is EndReason.KICKED


async def test_a_publisher_that_goes_while_it_is_decided() -> None:
    asked, decided = asyncio.Event(), asyncio.Event()

    async def wait(request: PublishRequest) -> None:
        asked.set()
        await decided.wait()

    async with listening(handler=Handler(wait)) as port:
        client = await port.connect()
        client.open()
        await asked.wait()
        await client.close()
        decided.set()
        while not port.handler.publications:
            await asyncio.sleep(0.01)
        assert await ended(port.handler.publications[0]) is EndReason.LOST


async def test_a_broken_connection_is_lost() -> None:
    async with listening() as port:
        client, told = await publishing(port)
        await client.close()
        assert await ended(told) is EndReason.LOST
        assert port.refused == []


async def test_a_publisher_without_media_is_lost() -> None:
    async with listening(FAST) as port:
        client, told = await publishing(port)
        assert await ended(told) is EndReason.LOST
        assert "no audio or video" in told.text
        assert port.refused == ["idle-timeout"]
        await client.close()


async def test_media_keeps_a_publisher() -> None:
    async with listening(FAST) as port:
        client, told = await publishing(port)
        for _ in range(12):
            await asyncio.sleep(0.05)
            client.send(client.chunks.message(9, Message(8, 1, 0, b"\xaf\x01x"), 0))
        assert not told.ended.is_set()
        await client.close()
        assert await ended(told) is EndReason.LOST


async def test_publishing_again_on_the_same_connection() -> None:
    async with listening() as port:
        session = obs()
        client, told = await publishing(port, session)
        client.send(session.closing)
        assert await ended(told) is EndReason.UNPUBLISHED
        assert (await client.status())[0] == "NetStream.Unpublish.Success"
        client.say(command("publish", 9.0, None, "another", on=1))
        assert (await client.status())[0] == "NetStream.Publish.Start"
        await client.close()
        assert await ended(port.handler.publications[1]) is EndReason.LOST


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "handshake-timeout"),
        (HANDSHAKE[:1000], "handshake-timeout"),
        (HANDSHAKE[:1537], "handshake-timeout"),
        (HANDSHAKE, "connect-timeout"),
        (HANDSHAKE + ChunkWriter().message(3, command("connect", 1.0, {"app": "live"})), "publish-timeout"),
        (b"GET / HTTP/1.1\r\n\r\n", "not-rtmp"),
        (b"\x16\x03\x01\x02", "not-rtmp"),
        (HANDSHAKE + bytes(range(256)) * 8, "message-too-large"),
        (HANDSHAKE + b"\xff" * 64, "malformed-chunk"),
        (HANDSHAKE + bytes.fromhex("03000000fffffe1400000000"), "message-too-large"),
        (HANDSHAKE + ChunkWriter().message(3, command("publish", 1.0, None, KEY)), "unexpected-command"),
        (HANDSHAKE + ChunkWriter().message(3, Message(20, 0, 0, b"\x02\xff")), "malformed-amf"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_dropped_and_counted(said: bytes, code: str) -> None:
    async with listening(FAST) as port:
        client = await port.connect()
        client.send(said)
        await client.closed()
        await client.close()
        assert port.refused == [code]


async def test_a_message_of_16_mib_ends_the_publisher() -> None:
    async with listening() as port:
        client, told = await publishing(port)
        client.say(Message(MessageType.VIDEO, 1, 0, bytes(0xFFFFFF)))
        assert await ended(told) is EndReason.PROTOCOL_ERROR
        assert port.refused == ["message-too-large"]
        await client.closed()
        await client.close()


async def test_another_codec_is_told_and_told_again_on_return() -> None:
    async with listening() as port:
        client = await port.connect()
        client.open()
        assert (await client.status())[0] == "NetStream.Publish.Start"
        client.say(HEVC)
        code, text = await client.status()
        assert code == "NetStream.Publish.Rejected"
        assert "HEVC" in text
        await client.closed()
        await client.close()
        assert await ended(port.handler.publications[0]) is EndReason.PROTOCOL_ERROR
        client = await port.connect()
        client.open()
        assert await client.status() == ("NetStream.Publish.BadName", text)
        await client.close()
        assert len(port.handler.requests) == 1
        assert port.refused == ["unsupported-codec", "unsupported-codec"]
        client = await port.connect()
        client.open("another-key")
        assert (await client.status())[0] == "NetStream.Publish.Start"
        await client.close()


async def test_a_player_is_refused_in_words() -> None:
    async with listening() as port:
        client = await port.connect()
        client.send(HANDSHAKE)
        client.say(command("connect", 1.0, {"app": "live"}), command("play", 2.0, None, KEY, on=1))
        code, text = await client.status()
        assert code == "NetStream.Play.Failed"
        assert "HLS" in text
        await client.closed()
        await client.close()
        assert port.refused == ["play-refused"]


async def test_a_peer_that_does_not_read_is_dropped() -> None:
    ping = Message(MessageType.USER_CONTROL, 0, 0, bytes.fromhex("000600000507"))
    async with listening(replace(FAST, connect_timeout=30.0, publish_timeout=30.0)) as port:
        client = await port.connect()
        client._writer.transport.pause_reading()  # type: ignore[attr-defined]
        client.send(HANDSHAKE)
        client.say(command("connect", 1.0, {"app": "live"}))
        pings = b"".join(client.chunks.message(2, ping, 0) for _ in range(1000))
        async with asyncio.timeout(30):
            while not port.refused:
                client.send(pings)
                await asyncio.sleep(0)
        assert port.refused == ["not-reading"]
        await client.close()


async def test_connections_are_bounded() -> None:
    async with listening(IngestOptions(max_connections=2)) as port:
        clients = [await publishing(port) for _ in range(2)]
        third = await port.connect()
        await third.closed()
        await third.close()
        assert port.refused == ["too-many-connections"]
        await clients[0][0].close()
        await ended(clients[0][1])
        client, _ = await publishing(port)
        await client.close()
        await clients[1][0].close()


async def test_closing_ends_every_publication_and_the_waiting() -> None:
    async def wait(request: PublishRequest) -> None:
        if request.key == "waiting":
            await asyncio.Event().wait()

    async with listening(handler=Handler(wait)) as port:
        client, told = await publishing(port, ffmpeg())
        waiting, silent = await port.connect(), await port.connect()
        waiting.open("waiting")
        while len(port.handler.requests) < 2:
            await asyncio.sleep(0.01)
        await port.server.close()
        assert told.all("end") == [EndReason.KICKED]
        assert (await client.status())[1] == "The server is stopping"
        for each in (client, waiting, silent):
            await each.closed()
            await each.close()
        with pytest.raises(OSError, match=r"."):
            await port.connect()
        await port.server.close()


async def test_set_chunk_size_alone_is_no_media() -> None:
    async with listening(FAST) as port:
        client, told = await publishing(port)
        for _ in range(20):
            client.say(control(MessageType.SET_CHUNK_SIZE, client.chunks.chunk_size))
            await asyncio.sleep(0.02)
        assert await ended(told) is EndReason.LOST
        await client.close()
