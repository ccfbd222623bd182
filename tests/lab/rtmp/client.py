"""The start of a publisher's RTMP session, on a blocking socket (RTMP 1.0, sections 5.2 and 7.2)."""

import socket
from urllib.parse import urlsplit

from ingest.rtmp import control
from ingest.rtmp.amf0 import Value
from ingest.rtmp.buffer import ReceiveBuffer
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.chunk_writer import encode_message
from ingest.rtmp.command import Command, parse_command
from ingest.rtmp.errors import RtmpError
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import MessageType
from tests.lab.errors import LabError
from tests.lab.rtmp.loop import CHUNK_SIZE, MESSAGE_STREAM

PACKET_SIZE = 1536
ANSWER_S = 15.0
DEFAULT_PORT = 1935
COMMANDS = 3
SEND_BUFFER = 512 * 1024


def publish(url: str, chunk_size: int = CHUNK_SIZE) -> socket.socket:
    """A socket on which the server of ``url`` (rtmp://HOST:PORT/APP/KEY) accepts a broadcast in chunks of
    ``chunk_size`` bytes. Raises LabError."""
    address = urlsplit(url)
    app, _, key = address.path.strip("/").rpartition("/")
    server = f"rtmp://{address.netloc}/{app}"
    connection = socket.socket()
    try:
        connection.settimeout(ANSWER_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect((address.hostname or "", address.port or DEFAULT_PORT))
        Session(connection, chunk_size).open(app, server, key)
    except (OSError, RtmpError, LabError) as error:
        connection.close()
        # The URL ends in the stream's key.
        raise LabError(f"{server} does not accept the broadcast: {error}") from error
    return connection


class Session:
    """A publisher's session, from the handshake on."""

    def __init__(self, connection: socket.socket, chunk_size: int = CHUNK_SIZE) -> None:
        self._connection = connection
        self._chunk_size = chunk_size
        self._buffer = ReceiveBuffer()
        self._limits = Limits()
        self._reader = ChunkReader(self._buffer, self._limits)

    def open(self, app: str, server: str, key: str) -> None:
        """Handshake, connect and publish, until the server accepts. Raises LabError, OSError, RtmpError."""
        send = self._connection.sendall
        send(b"\x03" + bytes(PACKET_SIZE))
        answer = self._read_exactly(1 + 2 * PACKET_SIZE)
        send(answer[1 : 1 + PACKET_SIZE])
        send(encode_message(control.CHUNK_STREAM, control.set_chunk_size(self._chunk_size)))
        properties: dict[str, Value] = {
            "app": app,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (bench)",
            "tcUrl": server,
        }
        self._call(Command("connect", 1.0, properties), "_result")
        self._call(Command("createStream", 2.0), "_result")
        self._call(Command("publish", 3.0, None, (key, "live"), MESSAGE_STREAM), "onStatus")

    def _call(self, command: Command, answered_by: str) -> None:
        self._connection.sendall(encode_message(COMMANDS, command.encode(), self._chunk_size))
        while True:
            answer = self._next_command()
            if answer.name == answered_by:
                break
            if answer.name in ("_error", "onStatus"):
                raise LabError(f"{command.name} was refused: {answer.arguments}")
        if command.name == "createStream" and answer.argument(0) != MESSAGE_STREAM:
            raise LabError(f"message stream {answer.argument(0)} was assigned, but the clip is prepared for 1")
        status = answer.argument(0)
        if command.name == "publish" and not (isinstance(status, dict) and status.get("level") == "status"):
            raise LabError(f"publishing was refused: {status}")

    def _next_command(self) -> Command:
        while True:
            message = self._reader.next_message()
            if message is None:
                self._receive()
            elif message.type_id == MessageType.SET_CHUNK_SIZE:
                self._reader.set_chunk_size(control.uint32(message))
            elif message.type_id == MessageType.COMMAND_AMF0:
                return parse_command(message, self._limits)

    def _read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        return self._buffer.take(size)

    def _receive(self) -> None:
        data = self._connection.recv(64 * 1024)
        if not data:
            raise LabError("the server closed the connection")
        self._buffer.append(data)
