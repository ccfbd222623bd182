"""What the bends share."""

from collections.abc import Callable, Iterator
from random import Random

from tests.lab.rtmp.flv import AUDIO, VIDEO
from tests.torture.script import Message, Script, Unsuitable

NAMES = {VIDEO: "video", AUDIO: "audio"}
MEDIA = (VIDEO, AUDIO)
AVC_PREFIX = 5
AAC_PREFIX = 2


def some_time(script: Script, random: Random) -> int:
    """A time within the stream, in milliseconds, away from its ends."""
    return random.randrange(1200, max(1300, script.messages[-1].at - 1200), 10)


def some_tracks(random: Random) -> tuple[int, ...]:
    """Both tracks or one."""
    return random.choice([MEDIA, (VIDEO,), (AUDIO,)])


def in_words(tracks: tuple[int, ...]) -> str:
    return " and ".join(NAMES[track] for track in tracks)


def header_of(script: Script, track: int) -> Message:
    """The first sequence header, or metadata, of a track. Raises Unsuitable."""
    for message in script.messages:
        if message.type_id == track and (message.is_header or message.is_metadata):
            return message
    raise Unsuitable


def key_from(script: Script, at: int) -> int:
    """The time of the first keyframe at ``at`` or later. Raises Unsuitable."""
    for message in script.messages:
        if message.is_key and message.at >= at:
            return message.at
    raise Unsuitable


def retime(script: Script, tracks: tuple[int, ...], timestamp: Callable[[Message], int]) -> Iterator[Message]:
    """The messages, those of ``tracks`` with other timestamps."""
    for message in script.messages:
        yield message._replace(timestamp=timestamp(message)) if message.type_id in tracks else message


def resend(script: Script, at: Callable[[Message], int]) -> Iterator[Message]:
    """The messages in the order of their new times of sending, which are never negative."""
    moved = [message._replace(at=max(0, at(message))) for message in script.messages]
    yield from sorted(moved, key=lambda message: message.at)


def pictures(script: Script) -> list[Message]:
    return [message for message in script.messages if message.picture is not None]


def composition(message: Message) -> int:
    return int.from_bytes(message.data[2:5], "big", signed=True)


def with_composition(message: Message, milliseconds: int) -> Message:
    body = message.data
    return message._replace(data=body[:2] + (milliseconds & 0xFFFFFF).to_bytes(3, "big") + body[AVC_PREFIX:])


def nal_units(message: Message) -> list[bytes]:
    """The NAL units of a picture, whose lengths have four bytes."""
    data, at, units = message.data, AVC_PREFIX, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        units.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return units


def with_units(message: Message, units: list[bytes]) -> Message:
    payload = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
    return message._replace(data=message.data[:AVC_PREFIX] + payload)


def parameter_sets(script: Script) -> list[bytes]:
    """The SPS and the PPS of the first sequence header (ISO/IEC 14496-15, 5.3.3.1). Raises Unsuitable."""
    record = header_of(script, VIDEO).data[AVC_PREFIX:]
    size = int.from_bytes(record[6:8], "big")
    sps = record[8 : 8 + size]
    at = 8 + size + 1
    pps = record[at + 2 : at + 2 + int.from_bytes(record[at : at + 2], "big")]
    return [sps, pps]
