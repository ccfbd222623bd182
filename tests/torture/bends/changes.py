"""Bends that continue with another clip: another size, another sample rate."""

from random import Random

from tests.lab.rtmp.flv import AUDIO, VIDEO
from tests.torture.bends.tools import nal_units, parameter_sets, with_units
from tests.torture.script import Bent, Message, Script


def other_size(script: Script, random: Random, other: tuple[Message, ...]) -> Bent:
    """The picture size changes in the stream, by a sequence header or by parameter sets in band."""
    at = random.choice([2000, 4000, 5000])
    in_band, early = random.random() < 0.5, random.choice([0, 0, 400])
    sets = parameter_sets(script.bent(other))
    bent = []
    for message in script.messages:
        if message.type_id == AUDIO or message.is_metadata or message.at < at:
            bent.append(message)
    for message in other:
        if message.type_id != VIDEO:
            continue
        if message.is_header:
            if not in_band:
                bent.append(message._replace(at=at - early, timestamp=at - early))
        elif message.at >= at:
            bent.append(
                with_units(message, [*sets, *nal_units(message)]) if in_band and message.is_key else message
            )
    gone = [m.picture for m in script.messages if m.picture is not None and m.at >= at - early]
    way = "by parameter sets in band" if in_band else f"by a sequence header {early} ms before"
    text = f"the picture size changes at {at} ms {way}"
    ordered = sorted(bent, key=lambda m: (m.at, not m.is_header))
    return script.damage(n for n in gone if n is not None).bent(ordered), text


def other_rate(script: Script, random: Random, other: tuple[Message, ...]) -> Bent:
    """The audio's sample rate changes in the stream."""
    at = random.choice([2000, 3300, 5000])
    bent = [m for m in script.messages if m.type_id != AUDIO or m.at < at]
    for message in other:
        if message.type_id == AUDIO and message.is_header:
            bent.append(message._replace(at=at, timestamp=at))
        elif message.type_id == AUDIO and message.at >= at:
            bent.append(message._replace(sound=None))
    ordered = sorted(bent, key=lambda m: (m.at, not m.is_header))
    return script.bent(ordered), f"the audio's sample rate changes at {at} ms"
