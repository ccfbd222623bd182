"""Bends of the media itself: NAL units and AAC frames in other wrappings, missing or damaged."""

from collections.abc import Callable, Iterator
from random import Random

from tests.lab.rtmp.flv import AUDIO, VIDEO
from tests.torture.bends.tools import (
    AAC_PREFIX,
    AVC_PREFIX,
    header_of,
    nal_units,
    parameter_sets,
    pictures,
    some_time,
    with_units,
)
from tests.torture.script import Bent, Message, Script

AUD = b"\x09\xf0"
# A user data SEI: 16 bytes of UUID, then text.
SEI = b"\x06\x05\x14" + bytes(range(16)) + b"text\x80"
SEI_TYPE, IDR_TYPE = 6, 5
ANNEX_B = (b"\0\0\0\1", b"\0\0\1")


def sei_alone(script: Script, random: Random) -> Bent:
    """SEI is sent as a message of its own before pictures."""
    key = random.random() < 0.5
    return _before(script, lambda m: [SEI], key), "SEI is sent alone before each picture"


def parameter_sets_alone(script: Script, random: Random) -> Bent:
    """Parameter sets are sent as messages of their own before keyframes."""
    together = random.random() < 0.5
    sets = parameter_sets(script)
    groups = [sets] if together else [[unit] for unit in sets]
    bent = []
    for message in script.messages:
        if message.is_key:
            bent += [with_units(message._replace(picture=None), group) for group in groups]
        bent.append(message)
    return script.bent(bent), "SPS and PPS are sent alone before keyframes"


def parameter_sets_in_band(script: Script, random: Random) -> Bent:
    """Keyframes contain their parameter sets; the sequence header may be missing."""
    sets, header = parameter_sets(script), random.random() < 0.5
    bent = [
        with_units(m, [*sets, *nal_units(m)]) if m.is_key else m
        for m in script.messages
        if header or not (m.is_header and m.type_id == VIDEO)
    ]
    return script.bent(bent), f"keyframes contain SPS and PPS; sequence header: {header}"


def access_unit_delimiters(script: Script, random: Random) -> Bent:
    """Each picture starts with an access unit delimiter, or has it as a message of its own."""
    if random.random() < 0.5:
        return _before(script, lambda m: [AUD], False), "an access unit delimiter is sent alone before each picture"
    bent = (with_units(m, [AUD, *nal_units(m)]) if m.picture is not None else m for m in script.messages)
    return script.bent(bent), "each picture starts with an access unit delimiter"


def slices_alone(script: Script, random: Random) -> Bent:
    """Each slice of a picture is a message of its own."""
    bent: list[Message] = []
    for message in script.messages:
        if message.picture is None:
            bent.append(message)
            continue
        for place, unit in enumerate(nal_units(message)):
            part = with_units(message, [unit])
            bent.append(part if place == 0 else part._replace(picture=None))
    return script.bent(bent), "each NAL unit is a message of its own"


def annex_b(script: Script, random: Random) -> Bent:
    """NAL units follow start codes in place of lengths."""
    code = random.choice(ANNEX_B)

    def convert(message: Message) -> Message:
        return message._replace(
            data=message.data[:AVC_PREFIX] + b"".join(code + unit for unit in nal_units(message))
        )

    bent = (convert(m) if m.picture is not None else m for m in script.messages)
    return script.bent(bent), f"NAL units follow start codes of {len(code)} bytes"


def adts(script: Script, random: Random) -> Bent:
    """AAC frames keep their ADTS headers; several frames may be one message."""
    record = header_of(script, AUDIO).data[AAC_PREFIX:]
    rate_index, channels = (record[0] & 7) << 1 | record[1] >> 7, record[1] >> 3 & 0xF
    header = random.random() < 0.7

    def convert(message: Message) -> Message:
        frame = message.data[AAC_PREFIX:]
        size = len(frame) + 7
        # ISO/IEC 14496-3, 1.A.2.2: syncword, no CRC, AAC-LC, rate, channels, length, fullness, one block.
        word = 0xFFF1 << 40 | 1 << 38 | rate_index << 34 | channels << 30 | size << 13 | 0x7FF << 2
        return message._replace(data=message.data[:AAC_PREFIX] + word.to_bytes(7, "big") + frame)

    bent = [
        convert(m) if m.sound is not None else m
        for m in script.messages
        if header or not (m.is_header and m.type_id == AUDIO)
    ]
    return script.bent(bent), f"AAC frames have ADTS headers; sequence header: {header}"


def empty_messages(script: Script, random: Random) -> Bent:
    """Messages without media come in between: empty AVC and AAC packets, the end of the sequence, noise."""
    bodies = [
        b"",
        b"\x17",
        b"\x17\x01\0\0\0",
        b"\x27\x01\0\0\0",
        b"\x17\x02\0\0\0",
        b"\x57\0",
        b"\xaf",
        b"\xaf\x01",
    ]
    every, body = random.choice([1, 10]), random.choice(bodies)
    kind = AUDIO if body[:1] == b"\xaf" else VIDEO
    bent = []
    for place, message in enumerate(script.messages):
        bent.append(message)
        if place > 3 and place % every == 0:
            bent.append(Message(message.at, kind, message.timestamp, body))
    return script.bent(
        bent
    ), f"after every {every}th message, one of type {kind} has the body {body.hex() or 'none'}"


def truncated_pictures(script: Script, random: Random) -> Bent:
    """Pictures are cut off, or the length of a NAL unit is wrong."""
    every = random.choice([1, 10, 90])
    cut = {m for place, m in enumerate(pictures(script)) if place % every == every - 1}

    def damage(message: Message) -> Message:
        body = message.data
        if random.random() < 0.5:
            return message._replace(data=body[: AVC_PREFIX + max(1, (len(body) - AVC_PREFIX) // 2)])
        return message._replace(data=body[:AVC_PREFIX] + b"\x00\xff\xff\xff" + body[AVC_PREFIX + 4 :])

    bent = [damage(m) if m in cut else m for m in script.messages]
    damaged = script.damage(m.picture for m in cut if m.picture is not None)
    return damaged.bent(bent), f"every {every}th picture is cut off"


def no_keyframe(script: Script, random: Random) -> Bent:
    """A keyframe is missing: the first, one in the middle, or all."""
    keys = [m for m in pictures(script) if m.is_key]
    gone = random.choice([keys[:1], keys[1:2], keys])
    damaged = script.damage(m.picture for m in gone if m.picture is not None)
    text = f"the keyframes at {[m.at for m in gone]} ms are missing"
    return damaged.bent(m for m in script.messages if m not in gone), text


def wrong_key_flags(script: Script, random: Random) -> Bent:
    """The tag does not mark keyframes, or marks every picture as one."""
    every = random.random() < 0.5
    first = b"\x17" if every else b"\x27"
    bent = [
        m._replace(data=first + m.data[1:]) if m.picture is not None and (every or m.picture) else m
        for m in script.messages
    ]
    text = "every picture is marked as a keyframe" if every else "no keyframe but the first is marked"
    return script.bent(bent), text


def damaged_sound(script: Script, random: Random) -> Bent:
    """Audio frames are cut off or empty."""
    every, size = random.choice([1, 10]), random.choice([0, 1, 9])
    place, bent = 0, []
    for message in script.messages:
        if message.sound is not None:
            place += 1
            if place % every == 0:
                message = message._replace(data=message.data[: AAC_PREFIX + size], sound=None)
        bent.append(message)
    return script.bent(bent, deaf=True), f"every {every}th audio frame has {size} bytes"


def filler(script: Script, random: Random) -> Bent:
    """Pictures are followed by filler data, and by the end of the sequence or the stream."""
    unit = random.choice([b"\x0c\xff\xff\x80", b"\x0a", b"\x0b"])
    if random.random() < 0.5:
        bent = [with_units(m, [*nal_units(m), unit]) if m.picture is not None else m for m in script.messages]
        return script.bent(bent), f"pictures end with NAL unit {unit.hex()}"
    bent = []
    for message in script.messages:
        bent.append(message)
        if message.picture is not None:
            bent.append(with_units(message._replace(picture=None), [unit]))
    return script.bent(bent), f"NAL unit {unit.hex()} is sent alone after each picture"


def reserved_units(script: Script, random: Random) -> Bent:
    """Pictures contain NAL units of unspecified types, or an empty one."""
    unit = random.choice([b"\x18\0", b"\x1f\x01\x02", b"\x00", b""])
    first = random.random() < 0.5
    bent = [
        with_units(m, [unit, *nal_units(m)] if first else [*nal_units(m), unit]) if m.picture is not None else m
        for m in script.messages
    ]
    return script.bent(bent), f"pictures {'begin' if first else 'end'} with NAL unit {unit.hex() or 'of no bytes'}"


def unknown_codec(script: Script, random: Random) -> Bent:
    """A message of a codec that is not supported comes in between, or all of one track are."""
    at, track = some_time(script, random), random.choice([AUDIO, VIDEO])
    body = b"\x12\0\0\0\0\0" if track == VIDEO else b"\x22\0\0\0"
    bent = sorted((*script.messages, Message(at, track, at, body)), key=lambda m: m.at)
    return script.bent(bent), f"at {at} ms a message of type {track} has an unsupported codec"


def _before(script: Script, units: Callable[[Message], list[bytes]], key: bool) -> Script:
    def messages() -> Iterator[Message]:
        for message in script.messages:
            if message.picture is not None and (message.is_key or not key):
                yield with_units(message._replace(picture=None), units(message))
            yield message

    return script.bent(messages())


BENDS = (
    sei_alone,
    parameter_sets_alone,
    parameter_sets_in_band,
    access_unit_delimiters,
    slices_alone,
    annex_b,
    adts,
    empty_messages,
    truncated_pictures,
    no_keyframe,
    wrong_key_flags,
    damaged_sound,
    filler,
    reserved_units,
    unknown_codec,
)
