"""Writes a clip as an FLV file without an encoder; each frame's payload is its number."""

from pathlib import Path

from ingest.rtmp.amf0 import encode
from tests.lab.rtmp.flv import AUDIO, SCRIPT, VIDEO

FRAMES, FRAME_MS, SOUND_MS = 10, 40, 20
LENGTH_MS = FRAMES * FRAME_MS


def write_clip(path: Path) -> Path:
    """Ten pictures of 40 ms, with audio frames of 20 ms."""
    tags = [
        (SCRIPT, 0, encode("onMetaData", {"width": 1280.0})),
        (VIDEO, 0, b"\x17\x00\x00\x00\x00config"),
        (AUDIO, 0, b"\xaf\x00\x11\x90"),
    ]
    for number in range(FRAMES):
        first = b"\x17" if number == 0 else b"\x27"
        at = number * FRAME_MS
        tags.append((VIDEO, at, first + b"\x01\x00\x00\x00" + bytes((number,)) * 9000))
        tags += [(AUDIO, at + later, b"\xaf\x01" + bytes((number,))) for later in (0, SOUND_MS)]
    tags.append((VIDEO, LENGTH_MS - FRAME_MS, b"\x17\x02\x00\x00\x00"))
    data = b"FLV\x01\x05\x00\x00\x00\x09" + bytes(4)
    for type_id, at, body in tags:
        header = bytes((type_id,)) + len(body).to_bytes(3, "big") + at.to_bytes(4, "big")[1:] + bytes(4)
        data += header + body + (len(body) + 11).to_bytes(4, "big")
    path.write_bytes(data)
    return path
