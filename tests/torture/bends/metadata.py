"""Bends of onMetaData: wrong values, wrong types, none at all."""

from random import Random

from ingest.rtmp.amf0 import EcmaArray, Value, encode
from tests.lab.rtmp.flv import SCRIPT
from tests.torture.bends.tools import header_of
from tests.torture.script import Bent, Script

TRUTH: dict[str, Value] = {
    "width": 256.0,
    "height": 144.0,
    "framerate": 25.0,
    "videocodecid": 7.0,
    "audiocodecid": 10.0,
    "audiosamplerate": 48000.0,
    "videodatarate": 100.0,
}
WRONG: tuple[Value, ...] = (
    0.0,
    -1.0,
    1.0,
    24.0,
    60.0,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    "twenty-five",
    "25",
    "",
    True,
    None,
    [1.0, 2.0],
    {"value": 25.0},
)


def wrong_values(script: Script, random: Random) -> Bent:
    """Some values are wrong or have the wrong type."""
    changes = {name: random.choice(WRONG) for name in random.sample(sorted(TRUTH), random.randint(1, 4))}
    return _with(script, encode("onMetaData", EcmaArray({**TRUTH, **changes}))), f"the metadata has {changes}"


def no_metadata(script: Script, random: Random) -> Bent:
    """There is no metadata."""
    return script.bent(m for m in script.messages if not m.is_metadata), "there is no metadata"


def giant(script: Script, random: Random) -> Bent:
    """The metadata is huge, or deeply nested."""
    nested: Value = 1.0
    for _ in range(random.choice([15, 17, 200])):
        nested = {"a": nested}
    values: dict[str, Value] = random.choice(
        [
            {f"key{number}": "x" * 40 for number in range(900)},
            {f"key{number}": "x" * 40 for number in range(5000)},
            {"comment": "x" * 70_000},
            {"nested": nested},
        ]
    )
    return _with(script, encode("onMetaData", EcmaArray({**TRUTH, **values}))), "the metadata is huge or deep"


def broken(script: Script, random: Random) -> Bent:
    """The metadata is cut off or no AMF at all."""
    data = encode("onMetaData", EcmaArray(TRUTH))
    choices = {
        "the metadata is cut off": data[: random.randrange(1, len(data))],
        "the metadata is noise": random.randbytes(60),
        "the metadata is empty": b"",
        "the metadata has no values": encode("onMetaData"),
        "the metadata is a string": encode("onMetaData", "width=256"),
    }
    text = random.choice(sorted(choices))
    return _with(script, choices[text]), text


def changing(script: Script, random: Random) -> Bent:
    """The metadata comes again in the stream, with other values."""
    rate = random.choice([1.0, 30.0, 60.0, float("nan")])
    data = encode("onMetaData", EcmaArray({**TRUTH, "framerate": rate, "width": 1920.0}))
    script = _with(script, encode("onMetaData", EcmaArray(TRUTH)))
    first = header_of(script, SCRIPT)
    at = random.choice([500, 2000, 4000])
    bent = sorted((*script.messages, first._replace(at=at, timestamp=at, data=data)), key=lambda m: m.at)
    return script.bent(bent), f"the metadata changes at {at} ms to a rate of {rate}"


def _with(script: Script, data: bytes) -> Script:
    return script.bent(m._replace(data=data) if m.is_metadata else m for m in script.messages)


BENDS = (wrong_values, no_metadata, giant, broken, changing)
