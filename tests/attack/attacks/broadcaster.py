"""Attacks of a broadcaster who has the key of one stream on the other streams."""

import asyncio
from collections.abc import Iterable
from itertools import count

from ingest.rtmp.message import Message, MessageType
from tests.attack.target import Target, connected, repeat
from tests.unit.ingest.samples import IDR, aac_header, avc, avc_header, key_frame, nal_units
from tests.unit.ingest.wire import HANDSHAKE, ChunkWriter, command, control
from tests.unit.media.codecs.h264.sps_builder import SpsFields, nal_unit

VIDEO_STREAM = 6
MEBIBYTE = 1 << 20
PPS = bytes.fromhex("68ebe3cb22c0")


async def _publish(target: Target, seconds: float, messages: Iterable[Message]) -> None:
    """Publish ``messages`` as fast as the socket takes them, again and again."""

    async def attempt(number: int) -> None:
        async with connected(target.rtmp, number) as (reader, writer):
            chunks = ChunkWriter()
            writer.write(HANDSHAKE)
            writer.write(chunks.message(2, control(MessageType.SET_CHUNK_SIZE, MEBIBYTE), 0))
            chunks.chunk_size = MEBIBYTE
            for message in (
                command("connect", 1.0, {"app": "live"}),
                command("createStream", 2.0),
                command("publish", 3.0, None, target.key, "live", on=1),
            ):
                writer.write(chunks.message(3, message, 0))
            async with asyncio.timeout(10):
                while b"NetStream.Publish.Start" not in await reader.read(65_536):
                    await asyncio.sleep(0)
            for message in messages:
                writer.write(chunks.message(VIDEO_STREAM, message, 0))
                await writer.drain()
        await asyncio.sleep(0.2)

    await repeat(seconds, 1, attempt)


def _headers() -> Iterable[Message]:
    yield Message(MessageType.VIDEO, 1, 0, avc_header())
    yield Message(MessageType.AUDIO, 1, 0, aac_header())


def _frames(payload: bytes, *, step_ms: int) -> Iterable[Message]:
    yield from _headers()
    for number in count():
        yield Message(MessageType.VIDEO, 1, number * step_ms, payload)


async def one_byte_nal_units(target: Target, seconds: float) -> None:
    """Frames of 7 MiB that consist of NAL units of one byte."""
    frame = b"\x17\x01\x00\x00\x00" + b"\x00\x00\x00\x01\x65" * (7 * MEBIBYTE // 5)
    await _publish(target, seconds, _frames(frame, step_ms=33))


async def large_aggregates(target: Target, seconds: float) -> None:
    """Aggregate messages of 480 000 messages."""
    tag = bytes((MessageType.AUDIO, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)) + b"\xaf" + (12).to_bytes(4, "big")
    aggregate = tag * 480_000
    messages = (Message(MessageType.AGGREGATE, 1, number, aggregate) for number in count())
    await _publish(target, seconds, messages)


async def standing_timestamps(target: Target, seconds: float) -> None:
    """Keyframes of 7 MiB whose timestamps stand still."""
    frame = b"\x17\x01\x00\x00\x00" + (7 * MEBIBYTE).to_bytes(4, "big") + b"\x65" + bytes(7 * MEBIBYTE - 1)
    await _publish(target, seconds, _frames(frame, step_ms=0))


async def endless_picture(target: Target, seconds: float) -> None:
    """After one keyframe, inter frames of 7 MiB without end."""
    large = b"\x27\x01\x00\x00\x00" + (7 * MEBIBYTE).to_bytes(4, "big") + b"\x41" + bytes(7 * MEBIBYTE - 1)

    def messages() -> Iterable[Message]:
        yield from _headers()
        yield Message(MessageType.VIDEO, 1, 0, key_frame())
        for number in count(1):
            yield Message(MessageType.VIDEO, 1, number, large)

    await _publish(target, seconds, messages())


async def changing_configurations(target: Target, seconds: float) -> None:
    """A sequence header of 60 KB before each keyframe, always another."""

    def messages() -> Iterable[Message]:
        for number in count():
            header = avc_header() + number.to_bytes(4, "big") + bytes(60_000)
            yield Message(MessageType.VIDEO, 1, number * 33, header)
            yield Message(MessageType.VIDEO, 1, number * 33, key_frame())

    await _publish(target, seconds, messages())


async def hostile_picture(target: Target, seconds: float) -> None:
    """Keyframes with parameter sets of a picture of 16384x16384, which a decoder would allocate."""
    huge = nal_unit(SpsFields(width_in_mbs=1024, height_in_map_units=1024))
    payload = avc(nal_units(huge, PPS, IDR), key=True)

    def messages() -> Iterable[Message]:
        yield from _headers()
        for number in count():
            yield Message(MessageType.VIDEO, 1, number * 33, payload)

    await _publish(target, seconds, messages())
