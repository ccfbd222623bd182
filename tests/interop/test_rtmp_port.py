"""The RTMP server with real sockets: authorization, refusals, and the end of every publication."""

import asyncio
import gc
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from time import monotonic, thread_time

import pytest

from ingest import (
    EndReason,
    IngestOptions,
    IngestServer,
    PublisherLink,
    PublishRefused,
    PublishRequest,
)
from ingest.budget import SAVED_MESSAGES_S
from ingest.rtmp.amf0 import Value, decode, encode
from ingest.rtmp.message import Message, MessageType
from media.errors import TooMuchMedia
from tests.interop.sessions import KEY, SESSIONS, Session, ffmpeg, obs
from tests.lab.certificates import Certificate
from tests.unit.ingest.samples import NON_IDR, Recorder, avc, nal_units
from tests.unit.ingest.wire import HANDSHAKE, ChunkWriter, ReplyReader, command, control

TIMEOUT_S = 5.0
DEFAULT = IngestOptions(linger_timeout=0.1)
FAST = IngestOptions(
    handshake_timeout=0.2,
    connect_timeout=0.2,
    publish_timeout=0.2,
    authorize_timeout=0.2,
    idle_timeout=0.2,
    linger_timeout=0.2,
)
PING = Message(MessageType.USER_CONTROL, 0, 0, bytes.fromhex("000600000507"))
HEVC = Message(MessageType.VIDEO, 1, 0, b"\x90hvc1" + bytes(20))


class AwaitableRecorder(Recorder):
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
    """Accepts all publishers for which ``decide`` does not raise."""

    decide: Callable[[PublishRequest], Awaitable[None]] | None = None
    requests: list[PublishRequest] = field(default_factory=list)
    links: list[PublisherLink] = field(default_factory=list)
    publications: list[AwaitableRecorder] = field(default_factory=list)

    async def authorize(self, request: PublishRequest, link: PublisherLink) -> AwaitableRecorder:
        self.requests.append(request)
        self.links.append(link)
        if self.decide is not None:
            await self.decide(request)
        self.publications.append(AwaitableRecorder())
        return self.publications[-1]


class PausedAuthorization:
    """Waits for ``decided`` and then accepts the publisher."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.decided = asyncio.Event()

    async def __call__(self, request: PublishRequest) -> None:
        self.requested.set()
        await self.decided.wait()


@dataclass
class Port:
    server: IngestServer
    handler: Handler
    address: tuple[str, int]
    refused: list[str]
    client_tls: ssl.SSLContext | None = None

    async def connect(self) -> "Client":
        reader, writer = await asyncio.open_connection(*self.address, ssl=self.client_tls)
        return Client(reader, writer)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._answers = ReplyReader()
        self._received_commands: list[list[Value]] = []
        self.chunks = ChunkWriter()

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def send_messages(self, *messages: Message) -> None:
        self.send(b"".join(self.chunks.message(8, message, 0) for message in messages))

    def request_publish(self, key: str = KEY, app: str = "live") -> None:
        self.send(HANDSHAKE)
        self.send_messages(command("connect", 1.0, {"app": app}), command("publish", 2.0, None, key, on=1))

    async def drain(self) -> None:
        """Wait until the server has read what was sent, or has closed the connection."""
        with suppress(ConnectionError):
            await self._writer.drain()

    async def status(self) -> tuple[str, str]:
        """The code and the description of the next onStatus."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                for values in self._received_commands:
                    if values[0] == "onStatus" and isinstance(information := values[3], dict):
                        self._received_commands.remove(values)
                        return str(information["code"]), str(information["description"])
                data = await self._reader.read(65536)
                assert data, "the server closed without a status"
                self._received_commands += [
                    decode(message.payload)
                    for message in self._answers.messages(data)
                    if message.type_id == MessageType.COMMAND_AMF0
                ]

    async def closed(self) -> None:
        """Wait until the server closes or resets the connection."""
        async with asyncio.timeout(TIMEOUT_S):
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
async def listening(
    options: IngestOptions | None = None,
    handler: Handler | None = None,
    *,
    send_buffer: int | None = None,
    certificate: Certificate | None = None,
) -> AsyncIterator[Port]:
    """``send_buffer``: the size of the buffers for the server's answers, in bytes. With a ``certificate``, the port
    is for RTMPS."""
    handler, refused = handler or Handler(), list[str]()
    server = IngestServer(handler, options or DEFAULT, on_refused=refused.append)
    try:
        listener = socket.create_server(("127.0.0.1", 0))
        if send_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        address = listener.getsockname()
        tls = certificate.server_context if certificate is not None else None
        await server.start(listener, backlog=16, tls=tls)
        yield Port(
            server, handler, address, refused, certificate.client_context if certificate is not None else None
        )
    finally:
        await server.close()


async def ended(publication: AwaitableRecorder) -> EndReason:
    async with asyncio.timeout(TIMEOUT_S):
        await publication.ended.wait()
    reasons = publication.all("end")
    assert len(reasons) == 1
    assert publication.names[-1] == "end"
    reason = reasons[0]
    assert isinstance(reason, EndReason)
    return reason


async def publishing(port: Port, session: Session | None = None) -> tuple[Client, AwaitableRecorder]:
    client = await port.connect()
    session = session or obs()
    client.send(session.opening)
    assert (await client.status())[0] == "NetStream.Publish.Start"
    client.send(session.media)
    publication = port.handler.publications[-1]
    async with asyncio.timeout(TIMEOUT_S):
        await publication.started.wait()
    client.chunks.chunk_size = 65536 if session.name == "ffmpeg" else 4096
    return client, publication


@pytest.mark.parametrize("make", SESSIONS)
async def test_complete_broadcast(make: Callable[[], Session]) -> None:
    async with listening() as port:
        session = make()
        client, publication = await publishing(port, session)
        client.send(session.closing)
        assert await ended(publication) is EndReason.UNPUBLISHED
        await client.close()
        (request,) = port.handler.requests
        # The query is no part of the key.
        assert (request.app, request.key, request.software) == ("live", KEY.split("?")[0], session.software)
        assert request.address == port.handler.links[0].address
        assert request.address.startswith("127.0.0.1:")
        assert KEY not in repr(request)
        total = len(session.opening) + len(session.media) + len(session.closing)
        assert port.handler.links[0].bytes_received == total
        assert len(publication.units) == 30 + 46
        assert publication.names[0] == "metadata"
        assert port.refused == []


async def test_media_is_not_read_before_authorization() -> None:
    authorization = PausedAuthorization()
    async with listening(handler=Handler(authorization)) as port:
        client = await port.connect()
        session = obs()
        client.send(session.opening + session.media)
        client.chunks.chunk_size = 4096
        # Much more than socket buffers hold, so the rest must stay in the client.
        client.send(client.chunks.message(6, Message(MessageType.VIDEO, 1, 0, bytes(8_000_000)), 0))
        while not port.handler.links:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert port.handler.links[0].bytes_received < 1_000_000
        authorization.decided.set()
        assert (await client.status())[0] == "NetStream.Publish.Start"
        await client.close()
        assert await ended(port.handler.publications[0]) is EndReason.LOST


async def test_refused_key_gets_the_reason_and_is_closed() -> None:
    async def refuse(request: PublishRequest) -> None:
        raise PublishRefused("That stream key has been rotated")

    async with listening(handler=Handler(refuse)) as port:
        client = await port.connect()
        client.request_publish()
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
async def test_invalid_requests_are_refused_without_the_handler(app: str, key: str, code: str, word: str) -> None:
    async with listening() as port:
        client = await port.connect()
        client.request_publish(key, app)
        status, text = await client.status()
        assert status == "NetStream.Publish.BadName"
        assert word in text
        assert not key or key not in text
        await client.closed()
        await client.close()
        assert port.refused == [code]
        assert port.handler.requests == []


async def test_failing_or_hanging_handler_refuses_the_publisher() -> None:
    async def fail(request: PublishRequest) -> None:
        if request.key == "hang":
            await asyncio.Event().wait()
        raise RuntimeError("a bug in the handler")

    async with listening(FAST, Handler(fail)) as port:
        for key, code in (("fail", "authorize-failed"), ("hang", "authorize-timeout")):
            client = await port.connect()
            client.request_publish(key)
            status, text = await client.status()
            assert status == "NetStream.Publish.BadName"
            assert "try again" in text
            await client.close()
            assert port.refused[-1] == code


@pytest.mark.parametrize("reason", [EndReason.KICKED, EndReason.TAKEN_OVER])
async def test_kick_sends_the_reason_and_ends_at_once(reason: EndReason) -> None:
    async with listening() as port:
        client, publication = await publishing(port)
        port.handler.links[0].kick("Another encoder took over", reason)
        assert publication.all("end") == [reason]
        assert await client.status() == ("NetStream.Publish.Rejected", "Another encoder took over")
        await client.closed()
        port.handler.links[0].kick("again")
        await client.close()
        assert publication.all("end") == [reason]


async def test_kick_from_a_call_of_the_publication() -> None:
    async with listening() as port:
        client, publication = await publishing(port)
        publication.on_dropped = lambda reason: port.handler.links[0].kick(reason)  # type: ignore[method-assign]
        units = len(publication.units)
        client.send_messages(Message(MessageType.VIDEO, 1, 2000, b""))
        client.send(obs().media)
        assert await ended(publication) is EndReason.KICKED
        await client.closed()
        await client.close()
        assert len(publication.units) <= units + 76
        assert publication.names[-1] == "end"


async def test_kick_during_authorization_applies() -> None:
    authorization = PausedAuthorization()
    async with listening(handler=Handler(authorization)) as port:
        client = await port.connect()
        client.request_publish()
        await authorization.requested.wait()
        port.handler.links[0].kick("no more")
        assert await client.status() == ("NetStream.Publish.Rejected", "no more")
        authorization.decided.set()
        await client.closed()
        await client.close()
        assert await ended(port.handler.publications[0]) is EndReason.KICKED


async def test_publisher_that_disconnects_during_authorization() -> None:
    authorization = PausedAuthorization()
    async with listening(handler=Handler(authorization)) as port:
        client = await port.connect()
        client.request_publish()
        await authorization.requested.wait()
        await client.close()
        authorization.decided.set()
        while not port.handler.publications:
            await asyncio.sleep(0.01)
        assert await ended(port.handler.publications[0]) is EndReason.LOST


async def test_broken_connection_ends_as_lost() -> None:
    async with listening() as port:
        client, publication = await publishing(port)
        await client.close()
        assert await ended(publication) is EndReason.LOST
        assert port.refused == []


async def test_publisher_without_media_ends_as_lost() -> None:
    async with listening(FAST) as port:
        client, publication = await publishing(port)
        assert await ended(publication) is EndReason.LOST
        assert "no audio or video" in publication.text
        assert port.refused == ["idle-timeout"]
        await client.close()


async def test_media_prevents_the_idle_timeout() -> None:
    async with listening(FAST) as port:
        client, publication = await publishing(port)
        for _ in range(12):
            await asyncio.sleep(0.05)
            client.send(client.chunks.message(9, Message(8, 1, 0, b"\xaf\x01x"), 0))
        assert not publication.ended.is_set()
        await client.close()
        assert await ended(publication) is EndReason.LOST


async def test_publishing_again_on_the_same_connection() -> None:
    async with listening() as port:
        session = obs()
        client, publication = await publishing(port, session)
        client.send(session.closing)
        assert await ended(publication) is EndReason.UNPUBLISHED
        assert (await client.status())[0] == "NetStream.Unpublish.Success"
        client.send_messages(command("publish", 9.0, None, "another", on=1))
        assert (await client.status())[0] == "NetStream.Publish.Start"
        await client.close()
        assert await ended(port.handler.publications[1]) is EndReason.LOST


@pytest.mark.parametrize(
    ("sent", "code"),
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
async def test_invalid_peers_are_dropped_and_counted(sent: bytes, code: str) -> None:
    async with listening(FAST) as port:
        client = await port.connect()
        client.send(sent)
        await client.closed()
        await client.close()
        assert port.refused == [code]


async def test_message_of_16_mib_ends_the_publication() -> None:
    async with listening() as port:
        client, publication = await publishing(port)
        client.send_messages(Message(MessageType.VIDEO, 1, 0, bytes(0xFFFFFF)))
        assert await ended(publication) is EndReason.PROTOCOL_ERROR
        assert port.refused == ["message-too-large"]
        await client.closed()
        await client.close()


async def test_unsupported_codec_is_refused_again_on_reconnect() -> None:
    async with listening() as port:
        client = await port.connect()
        client.request_publish()
        assert (await client.status())[0] == "NetStream.Publish.Start"
        client.send_messages(HEVC)
        code, text = await client.status()
        assert code == "NetStream.Publish.Rejected"
        assert "HEVC" in text
        await client.closed()
        await client.close()
        assert await ended(port.handler.publications[0]) is EndReason.PROTOCOL_ERROR
        client = await port.connect()
        client.request_publish()
        assert await client.status() == ("NetStream.Publish.BadName", text)
        await client.close()
        assert len(port.handler.requests) == 1
        assert port.refused == ["unsupported-codec", "unsupported-codec"]
        client = await port.connect()
        client.request_publish("another-key")
        assert (await client.status())[0] == "NetStream.Publish.Start"
        await client.close()


async def test_player_is_refused_with_a_reason() -> None:
    async with listening() as port:
        client = await port.connect()
        client.send(HANDSHAKE)
        client.send_messages(command("connect", 1.0, {"app": "live"}), command("play", 2.0, None, KEY, on=1))
        code, text = await client.status()
        assert code == "NetStream.Play.Failed"
        assert "HLS" in text
        await client.closed()
        await client.close()
        assert port.refused == ["play-refused"]


async def test_peer_that_does_not_read_is_dropped() -> None:
    """The server's answers to pings fill the socket's buffers, and then the server's memory."""
    options = replace(DEFAULT, max_messages=10_000_000)
    async with listening(options, send_buffer=4096) as port:
        client, publication = await publishing(port)
        client._writer.transport.pause_reading()  # type: ignore[attr-defined]
        pings = b"".join(client.chunks.message(2, PING, 0) for _ in range(1000))
        async with asyncio.timeout(60):
            while not port.refused:
                client.send(pings)
                await client.drain()
        assert port.refused == ["not-reading"]
        await client.close()
        await ended(publication)


async def test_flood_before_publish_is_dropped() -> None:
    async with listening() as port:
        client = await port.connect()
        client.send(HANDSHAKE)
        client.send_messages(command("connect", 1.0, {"app": "live"}), *[PING] * 100)
        await client.closed()
        await client.close()
        assert port.refused == ["too-much-before-publish"]


class Heartbeat:
    """The longest work of the event loop between two turns, in seconds of processor time."""

    async def __aenter__(self) -> "Heartbeat":
        self.longest = 0.0
        self._task = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _beat(self) -> None:
        before = thread_time()
        while True:
            await asyncio.sleep(0)
            now = thread_time()
            before, self.longest = now, max(self.longest, now - before)


EMPTY_TAG = b"\x08" + bytes(14)
FLOODS: dict[str, tuple[Message, int, str | None]] = {
    "NAL units of one byte": (
        Message(MessageType.VIDEO, 1, 0, b"\x17\x01\0\0\0" + 1_400_000 * b"\0\0\0\1\x41"),
        1,
        "too-many-nal-units",
    ),
    "aggregate": (Message(MessageType.AGGREGATE, 1, 0, 489_335 * EMPTY_TAG), 1, "too-many-aggregated"),
    "pings": (PING, 20_000, None),
    "calls": (command("makeCoffee", 9.0), 5000, None),
    "tiny audio": (Message(MessageType.AUDIO, 1, 0, b"\xaf\x01\x21"), 10_000, None),
    "data": (Message(MessageType.DATA_AMF0, 1, 0, encode("onMetaData") + 4000 * encode(None)), 200, None),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_flood_of_a_publisher_leaves_the_loop_to_others(name: str) -> None:
    message, count, code = FLOODS[name]
    async with listening(replace(DEFAULT, max_messages=1_000_000)) as port:
        client, publication = await publishing(port)
        client.chunks.chunk_size = 65536
        client.send_messages(control(MessageType.SET_CHUNK_SIZE, 65536))
        flood = count * client.chunks.message(9, message, 0)
        async with Heartbeat() as heartbeat:
            client.send(flood)
            if code is None:
                client.send(obs().closing)
            await client.drain()
            reason = await ended(publication)
        assert port.refused == ([code] if code else [])
        assert reason is (EndReason.PROTOCOL_ERROR if code else EndReason.UNPUBLISHED)
        assert heartbeat.longest < 0.1
        await client.close()


async def test_publisher_of_too_many_messages_is_read_more_slowly() -> None:
    options = replace(DEFAULT, max_messages=500)
    async with listening(options) as port:
        client, publication = await publishing(port)
        began = monotonic()
        client.send(round(500 * (SAVED_MESSAGES_S + 1)) * client.chunks.message(2, PING, 0))
        client.send(obs().closing)
        async with asyncio.timeout(TIMEOUT_S):
            await publication.ended.wait()
        assert monotonic() - began > 0.7
        assert publication.all("end") == [EndReason.UNPUBLISHED]
        assert "too-many-messages" in publication.all("repaired")
        await client.close()


async def test_bitrate_beyond_the_limit_is_refused_in_words_and_again_at_publish() -> None:
    async with listening(replace(DEFAULT, max_bitrate=1_000_000)) as port:
        client, publication = await publishing(port)
        frame = Message(MessageType.VIDEO, 1, 2000, avc(nal_units(NON_IDR + bytes(60_000))))
        async with asyncio.timeout(TIMEOUT_S):
            while not port.refused:
                client.send(client.chunks.message(4, frame, 0))
                await asyncio.sleep(0.01)
        code, text = await client.status()
        assert code == "NetStream.Publish.Rejected"
        assert "1 Mbit/s" in text
        assert await ended(publication) is EndReason.PROTOCOL_ERROR
        await client.close()
        client = await port.connect()
        client.request_publish(KEY)
        assert await client.status() == ("NetStream.Publish.BadName", text)
        await client.close()
        assert port.refused == ["bitrate-exceeded", "bitrate-exceeded"]


async def test_limit_that_the_publication_raises_ends_it() -> None:
    async with listening() as port:
        client, publication = await publishing(port)

        def on_unit(unit: object) -> None:
            raise TooMuchMedia("more than 8 MiB of media arrived")

        publication.on_unit = on_unit  # type: ignore[method-assign]
        client.send(obs().media)
        assert await client.status() == ("NetStream.Publish.Rejected", "more than 8 MiB of media arrived")
        assert await ended(publication) is EndReason.PROTOCOL_ERROR
        await client.close()
        assert port.refused == ["too-much-media"]


@pytest.mark.parametrize("step", ["handshake", "partial", "publishing", "slowed"])
async def test_closed_connection_needs_no_garbage_collection(step: str) -> None:
    async with listening(replace(DEFAULT, max_messages=15 if step == "slowed" else 2000)) as port:
        gc.collect()
        gc.disable()
        try:
            if step in ("handshake", "partial"):
                client = await port.connect()
                client.send(HANDSHAKE)
                if step == "partial":
                    client.send_messages(command("connect", 1.0, {"app": "live"}))
                    client.send(client.chunks.write(5, Message(MessageType.VIDEO, 1, 0, bytes(60_000)), 0)[0])
            else:
                client, _ = await publishing(port)
                client.send(b"".join(client.chunks.write(5, Message(MessageType.VIDEO, 1, 0, bytes(6_000)), 0)[:1]))
            await client.drain()
            while not (publishers := port.server._shared.publishers) or not all(
                publisher.bytes_received > 3000 for publisher in publishers
            ):
                await asyncio.sleep(0.01)
            if step == "slowed":
                sound = Message(MessageType.AUDIO, 1, 2000, b"\xaf\x01frame")
                while not any(publisher._resumption for publisher in publishers):
                    client.send(client.chunks.message(4, sound, 0))
                    await asyncio.sleep(0.05)
            (gone,) = [weakref.ref(publisher) for publisher in publishers]
            await client.close()
            port.handler.links.clear()
            async with asyncio.timeout(TIMEOUT_S):
                while gone() is not None:
                    await asyncio.sleep(0.01)
        finally:
            gc.enable()


async def test_close_ends_publications_and_pending_authorizations() -> None:
    async def wait(request: PublishRequest) -> None:
        if request.key == "waiting":
            await asyncio.Event().wait()

    async with listening(handler=Handler(wait)) as port:
        client, publication = await publishing(port, ffmpeg())
        waiting, silent = await port.connect(), await port.connect()
        waiting.request_publish("waiting")
        while len(port.handler.requests) < 2:
            await asyncio.sleep(0.01)
        await port.server.close()
        assert publication.all("end") == [EndReason.KICKED]
        assert (await client.status())[1] == "The server is stopping"
        for each in (client, waiting, silent):
            await each.closed()
            await each.close()
        with pytest.raises(OSError, match=r"."):
            await port.connect()
        await port.server.close()


async def test_control_messages_do_not_prevent_the_idle_timeout() -> None:
    async with listening(FAST) as port:
        client, publication = await publishing(port)
        for _ in range(20):
            client.send_messages(control(MessageType.SET_CHUNK_SIZE, client.chunks.chunk_size))
            await asyncio.sleep(0.02)
        assert await ended(publication) is EndReason.LOST
        await client.close()
