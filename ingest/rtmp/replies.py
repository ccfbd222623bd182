"""The server's replies: messages, each with the chunk stream to send it on."""

from typing import NamedTuple

from ingest.rtmp import control
from ingest.rtmp.amf0 import Value
from ingest.rtmp.command import Command
from ingest.rtmp.message import Message

# Large chunks save work on both sides; ffmpeg also sends with the size that the server announces.
CHUNK_SIZE = 65536
WINDOW_SIZE = 2_500_000
CONNECTION_CHUNK_STREAM = 3
STREAM_CHUNK_STREAM = 5


class Reply(NamedTuple):
    """A message and the id of the chunk stream to send it on."""

    chunk_stream: int
    message: Message


def connected(command: Command) -> list[Reply]:
    """The answer to connect (section 7.2.1.1). The new chunk size applies to the messages after Set Chunk Size."""
    information: Value = {
        "level": "status",
        "code": "NetConnection.Connect.Success",
        "description": "Connection succeeded.",
        "objectEncoding": 0.0,
    }
    properties: Value = {"fmsVer": "FMS/5,0,3,1", "capabilities": 31.0}
    return [
        Reply(control.CHUNK_STREAM, control.window_acknowledgement_size(WINDOW_SIZE)),
        Reply(control.CHUNK_STREAM, control.set_peer_bandwidth(WINDOW_SIZE, control.PeerBandwidth.DYNAMIC)),
        Reply(control.CHUNK_STREAM, control.set_chunk_size(CHUNK_SIZE)),
        result(command, properties, information),
    ]


def result(command: Command, properties: Value, *values: Value) -> Reply:
    return on_connection(Command("_result", command.transaction, properties, values))


def failed(command: Command, description: str) -> Reply:
    information: Value = {"level": "error", "code": "NetConnection.Call.Failed", "description": description}
    return on_connection(Command("_error", command.transaction, None, (information,)))


def stream_begin(stream_id: int) -> Reply:
    data = stream_id.to_bytes(4, "big")
    return Reply(control.CHUNK_STREAM, control.user_control(control.UserControl.STREAM_BEGIN, data))


def status(stream_id: int, code: str, description: str, *, level: str = "status") -> Reply:
    """onStatus (section 7.2.2). OBS acts on ``code`` and writes ``description`` to its log."""
    information: Value = {"level": level, "code": code, "description": description}
    command = Command("onStatus", 0.0, None, (information,), stream_id)
    return Reply(STREAM_CHUNK_STREAM, command.encode())


def reconnect_request(description: str) -> Reply:
    """Enhanced RTMP v2, "Reconnect Request". Without a tcUrl, the peer connects to the address that it has."""
    information: Value = {
        "level": "status",
        "code": "NetConnection.Connect.ReconnectRequest",
        "description": description,
    }
    return on_connection(Command("onStatus", 0.0, None, (information,)))


def on_connection(command: Command) -> Reply:
    return Reply(CONNECTION_CHUNK_STREAM, command.encode())
