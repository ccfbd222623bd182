"""The stored segments do not depend on how the publisher's bytes arrive: in one read, in pieces, in large chunks or
small ones. In each case, other code takes the messages out of the buffer."""

from functools import cache
from hashlib import sha256
from random import Random

from ingest.feed import MediaFeed
from ingest.rtmp import (
    NEED_DATA,
    PAUSED,
    AudioMessage,
    Metadata,
    PublishRequested,
    ServerConnection,
    VideoMessage,
)
from ingest.rtmp.message import Message, MessageType
from tests.lab.aac import aac_lc_record
from tests.lab.waiting import run_until_idle
from tests.unit.ingest.wire import (
    HANDSHAKE,
    ChunkWriter,
    Split,
    byte_by_byte,
    command,
    control,
    pieces_of,
    unsplit,
)
from tests.unit.packager.recording import video_config
from tests.unit.worker.stage import ChannelStage

CONNECT = command("connect", 1.0, {"app": "live"})
CREATE = command("createStream", 2.0)
PUBLISH = command("publish", 3.0, None, "key", "live", on=1)
SECONDS = 5


@cache
def media() -> tuple[Message, ...]:
    """30 frames of 1 to 20 000 bytes and 47 of sound a second."""
    random = Random(7)
    messages = [
        Message(MessageType.VIDEO, 1, 0, b"\x17\0\0\0\0" + video_config().record),
        Message(MessageType.AUDIO, 1, 0, b"\xaf\0" + aac_lc_record()),
    ]
    for number in range(30 * SECONDS):
        key = number % 60 == 0
        picture = bytes((0x65 if key else 0x41,)) + random.randbytes(random.choice((1, 400, 4000, 20_000)))
        header = b"\x17\1\0\0\0" if key else b"\x27\1\0\0\0"
        sized = len(picture).to_bytes(4, "big") + picture
        messages.append(Message(MessageType.VIDEO, 1, number * 1000 // 30, header + sized))
    for number in range(48_000 * SECONDS // 1024):
        sound = b"\xaf\1" + random.randbytes(random.randint(6, 700))
        messages.append(Message(MessageType.AUDIO, 1, number * 1024 // 48, sound))
    return tuple(sorted(messages, key=lambda message: message.timestamp))


def session(chunk_size: int) -> bytes:
    writer = ChunkWriter()
    opening = [writer.message(3, message, fmt=0) for message in (CONNECT, CREATE, PUBLISH)]
    size = writer.message(2, control(MessageType.SET_CHUNK_SIZE, chunk_size))
    writer.chunk_size = chunk_size
    chunk_streams = {MessageType.VIDEO: 6, MessageType.AUDIO: 4}
    return HANDSHAKE + b"".join(
        (*opening, size, *(writer.message(chunk_streams[MessageType(each.type_id)], each) for each in media()))
    )


async def digests(chunk_size: int, split: Split) -> dict[str, str]:
    """Of the segments and init segments that a broadcast stores, by key."""
    stage, connection = await ChannelStage.start(), ServerConnection()
    link = stage.attach()
    assert link.session is not None
    feed = MediaFeed(link.session)
    for piece in split(session(chunk_size)):
        connection.receive_data(piece)
        while (event := connection.next_event()) is not NEED_DATA and event is not PAUSED:
            match event:
                case PublishRequested():
                    connection.accept_publish()
                case VideoMessage():
                    feed.video.take(*event)
                case AudioMessage():
                    feed.audio.take(*event)
                case Metadata(values):
                    link.session.on_metadata(values)
    await run_until_idle()
    await stage.end()
    objects = stage.store.objects.items()
    return {key: sha256(found.body).hexdigest() for key, found in objects if key.endswith((".m4s", ".mp4"))}


async def test_segments_are_the_same_bytes() -> None:
    plain = await digests(128, byte_by_byte)
    assert sum(key.endswith(".m4s") for key in plain) >= 4
    for chunk_size in (60, 128, 4096, 60_000):
        for name, split in {
            "whole": unsplit,
            "packets": pieces_of(1460),
            "pieces": pieces_of(60_000, 7, 333),
        }.items():
            assert await digests(chunk_size, split) == plain, (chunk_size, name)
