"""Publishes a script in real time, and records what the server says in words."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingest.rtmp import control
from ingest.rtmp.amf0 import Value
from ingest.rtmp.buffer import ReceiveBuffer
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.command import Command, parse_command
from ingest.rtmp.errors import RtmpError
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import Message, MessageType
from tests.torture.script import Framing, Script, Session, Write
from tests.torture.wire import COMMANDS, MESSAGE_STREAM, Writing, writings
from tests.unit.ingest.wire import ChunkWriter

PACKET_SIZE = 1536
ANSWER_S = 20.0
# A server that waits for the rest of a session is given this long to answer and close.
GOODBYE_S = 5.0
PIECE = 7
# Only the first bytes of a message are written one by one.
SINGLE_BYTES = 150


class Refused(Exception):
    """The server refused the publisher, or closed the connection."""


@dataclass(slots=True)
class Said:
    """What the server said: ``words`` are the descriptions of its errors. ``cut_off``: whether it closed the
    connection before the publisher did."""

    words: list[str] = field(default_factory=list)
    cut_off: bool = False


async def perform(script: Script, url: str, before_leaving: Callable[[], Awaitable[None]]) -> Said:
    """Publish all sessions of the script to ``url`` (rtmp://HOST:PORT/APP/KEY). ``before_leaving`` is awaited
    before the end of the last one."""
    said = Said()
    sessions = script.all_sessions()
    for session in sessions:
        await asyncio.sleep(session.pause_s)
        try:
            async with asyncio.timeout(ANSWER_S):
                connection = await Connection.open(url, said)
        except (Refused, OSError, RtmpError, TimeoutError) as error:
            said.words.append(str(error))
            said.cut_off = True
            break
        wait = before_leaving if session is sessions[-1] else nothing
        await connection.send(session, script.framing, wait)
    return said


async def nothing() -> None:
    """Wait for nothing."""


class Connection:
    """One session, from the handshake on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: Said) -> None:
        self._reader, self._writer, self._said = reader, writer, said
        self._buffer = ReceiveBuffer()
        self._limits = Limits()
        self._chunks = ChunkReader(self._buffer, self._limits)
        self._commands = ChunkWriter()

    @classmethod
    async def open(cls, url: str, said: Said) -> "Connection":
        """Connect and publish. Raises Refused, OSError, RtmpError."""
        address = urlsplit(url)
        app, _, key = address.path.strip("/").rpartition("/")
        connection = cls(*await asyncio.open_connection(address.hostname, address.port), said)
        try:
            await connection._publish(app, f"rtmp://{address.netloc}/{app}", key)
        except BaseException:
            connection._writer.transport.abort()
            raise
        return connection

    async def send(self, session: Session, framing: Framing, before_leaving: Callable[[], Awaitable[None]]) -> None:
        """Send the session's messages at their times, and wait until the server closes the connection."""
        listening = asyncio.create_task(self._listen())
        try:
            with suppress(ConnectionError):
                *media, last = writings(session, framing)
                await self._pace(media, framing.write, listening)
                if not listening.done():
                    await before_leaving()
                    await self._pace((last._replace(at=0),), framing.write, listening)
            if listening.done():
                self._said.cut_off = True
            else:
                self._writer.write_eof()
                await asyncio.wait((listening,), timeout=GOODBYE_S)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            self._writer.transport.abort()

    async def _pace(self, all_writings: Iterable[Writing], write: Write, listening: "asyncio.Task[None]") -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for at, data in all_writings:
            wait = start + at / 1000 - loop.time()
            if wait > 0:
                await asyncio.wait((listening,), timeout=wait)
            if listening.done():
                return
            for piece in _pieces(data, write):
                self._writer.write(piece)
            await self._writer.drain()

    async def _listen(self) -> None:
        """Record the server's errors until it closes the connection."""
        with suppress(Refused, RtmpError, ConnectionError):
            while True:
                self._record(await self._next_command())

    def _record(self, command: Command) -> None:
        status = command.argument(0)
        if isinstance(status, dict) and status.get("level") == "error":
            self._said.words.append(str(status.get("description") or ""))

    async def _publish(self, app: str, server: str, key: str) -> None:
        self._writer.write(b"\x03" + bytes(PACKET_SIZE))
        answer = await self._reader.readexactly(1 + 2 * PACKET_SIZE)
        self._writer.write(answer[1 : 1 + PACKET_SIZE])
        properties: dict[str, Value] = {
            "app": app,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (torture)",
            "tcUrl": server,
        }
        await self._answer(Command("connect", 1.0, properties), "_result")
        await self._answer(Command("createStream", 2.0), "_result")
        await self._answer(Command("publish", 3.0, None, (key, "live"), MESSAGE_STREAM), "onStatus")

    async def _answer(self, command: Command, name: str) -> None:
        self._call(command)
        while (answer := await self._next_command()).name not in (name, "_error"):
            pass
        status = answer.argument(0)
        if isinstance(status, dict) and status.get("level") == "error":
            raise Refused(str(status.get("description")))

    def _call(self, command: Command) -> None:
        message: Message = command.encode()
        self._writer.write(self._commands.message(COMMANDS, message, 0))

    async def _next_command(self) -> Command:
        while True:
            message = self._chunks.next_message()
            if message is None:
                data = await self._reader.read(64 * 1024)
                if not data:
                    raise Refused("the server closed the connection")
                self._buffer.append(data)
            elif message.type_id == MessageType.SET_CHUNK_SIZE:
                self._chunks.set_chunk_size(control.uint32(message))
            elif message.type_id == MessageType.COMMAND_AMF0:
                return parse_command(message, self._limits)


def _pieces(data: bytes, write: Write) -> Iterable[bytes]:
    match write:
        case Write.WHOLE:
            return (data,)
        case Write.BYTES:
            return (*(data[at : at + 1] for at in range(min(SINGLE_BYTES, len(data)))), data[SINGLE_BYTES:])
        case Write.PIECES:
            return (data[at : at + PIECE] for at in range(0, len(data), PIECE))
