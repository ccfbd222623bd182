"""Sessions of ffmpeg and OBS as bytes, with their order of messages, chunk streams and header formats.

They reproduce what ffmpeg 9 and OBS 29 (librtmp) send.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.rtmp.amf0 import EcmaArray, Value, encode
from ingest.rtmp.digest import PLAYER_KEY, Scheme, put_digest
from ingest.rtmp.message import Message, MessageType
from tests.unit.ingest.samples import AAC_FRAME, aac_header, avc_header, inter_frame, key_frame
from tests.unit.ingest.wire import HANDSHAKE, ChunkWriter, command, control

KEY = "live_abc?token=1&x"


@dataclass(frozen=True, slots=True)
class Session:
    """The bytes that a client sends up to publish, then its media, then its end."""

    name: str
    opening: bytes
    media: bytes
    closing: bytes
    app: str = "live"
    key: str = KEY
    software: str = "FMLE/3.0 (compatible; FMSc/1.0)"


def media_messages() -> list[Message]:
    """Metadata, sequence headers, and one second of interleaved video and audio."""
    metadata = EcmaArray(duration=0.0, width=320.0, height=180.0, framerate=30.0, encoder="an encoder")
    messages = [
        Message(MessageType.DATA_AMF0, 1, 0, encode("@setDataFrame", "onMetaData", metadata)),
        Message(MessageType.AUDIO, 1, 0, aac_header()),
        Message(MessageType.VIDEO, 1, 0, avc_header()),
    ]
    units = [(number * 1000 // 30, MessageType.VIDEO, number) for number in range(30)]
    units += [(number * 1024 // 48, MessageType.AUDIO, number) for number in range(46)]
    for at, kind, number in sorted(units):
        body = (
            AAC_FRAME if kind is MessageType.AUDIO else inter_frame(33) if number else key_frame(composition_ms=66)
        )
        messages.append(Message(kind, 1, at, body))
    return messages


def obs() -> Session:
    """Simple handshake; Set Chunk Size 4096 first; all media on chunk stream 4."""
    writer = ChunkWriter()
    properties: dict[str, Value] = {
        "app": "live",
        "type": "nonprivate",
        "supportsGoAway": True,
        "flashVer": "FMLE/3.0 (compatible; FMSc/1.0)",
        "swfUrl": "rtmp://127.0.0.1/live",
        "tcUrl": "rtmp://127.0.0.1/live",
    }
    opening = HANDSHAKE + writer.message(2, control(MessageType.SET_CHUNK_SIZE, 4096))
    writer.chunk_size = 4096
    opening += writer.message(3, command("connect", 1.0, properties))
    opening += writer.message(3, command("releaseStream", 2.0, None, KEY))
    opening += writer.message(3, command("FCPublish", 3.0, None, KEY))
    opening += writer.message(3, command("createStream", 4.0))
    opening += writer.message(4, command("publish", 5.0, None, KEY, "live", on=1), 0)
    media = b"".join(
        writer.message(4, message, min(1, writer.formats(4, message)[-1])) for message in media_messages()
    )
    closing = writer.message(3, command("FCUnpublish", 6.0, None, KEY), 0)
    closing += writer.message(3, command("deleteStream", 7.0, None, 1.0), 0)
    return Session("obs", opening, media, closing)


def ffmpeg() -> Session:
    """Handshake with a digest; the server's chunk size; one chunk stream per kind of message; shortest headers."""
    software = "FMLE/3.0 (compatible; Lavf63.1.102)"
    c1 = put_digest(bytes(4) + bytes((9, 0, 124, 2)) + bytes(1528), Scheme.DIGEST_FIRST, PLAYER_KEY)
    writer = ChunkWriter()
    properties: dict[str, Value] = {
        "app": "live",
        "type": "nonprivate",
        "flashVer": software,
        "tcUrl": "rtmp://127.0.0.1:1935/live",
    }
    opening = b"\x03" + c1 + bytes(1536) + writer.message(3, command("connect", 1.0, properties))
    opening += writer.message(2, control(MessageType.SET_CHUNK_SIZE, 65536))
    writer.chunk_size = 65536
    opening += writer.message(3, command("releaseStream", 2.0, None, KEY))
    opening += writer.message(3, command("FCPublish", 3.0, None, KEY))
    opening += writer.message(3, command("createStream", 4.0))
    opening += writer.message(3, command("publish", 5.0, None, KEY, "live", on=1), 0)
    streams: dict[int, int] = {MessageType.DATA_AMF0: 5, MessageType.VIDEO: 6, MessageType.AUDIO: 4}
    media = b"".join(writer.message(streams[message.type_id], message) for message in media_messages())
    closing = writer.message(3, command("FCUnpublish", 6.0, None, KEY), 0)
    closing += writer.message(3, command("deleteStream", 7.0, None, 1.0), 0)
    return Session("ffmpeg", opening, media, closing, software=software)


SESSIONS: list[Callable[[], Session]] = [obs, ffmpeg]
