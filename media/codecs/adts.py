"""ADTS frames of AAC (ISO/IEC 14496-3, 1.A.2.2 and 1.A.3): some encoders leave their headers on the frames.

A raw_data_block does not start with the sync word: its first three bits would be ID_END, the end of an empty block.
"""

from media.bits import BitWriter
from media.errors import MalformedConfig, UnsupportedConfig

SYNC = 0xFF
HEADER_SIZE = 7
CRC_SIZE = 2
# A message contains a few frames at most; this is one second at 96 kHz.
MAX_FRAMES = 96
MPEG4_PROGRAM_CONFIG = 0


def split(message: bytes) -> list[bytes]:
    """The raw_data_blocks of a message's ADTS frames. Raises MalformedConfig."""
    blocks: list[bytes] = []
    at, end = 0, len(message)
    while at < end:
        if len(blocks) == MAX_FRAMES:
            raise MalformedConfig(f"more than {MAX_FRAMES} ADTS frames in one message")
        header = _header(message, at)
        size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5  # aac_frame_length
        start = at + HEADER_SIZE + (0 if header[1] & 1 else CRC_SIZE)  # protection_absent
        at += size
        if header[6] & 3:
            raise MalformedConfig("an ADTS frame of several raw data blocks")
        if not start < at <= end:
            raise MalformedConfig(f"an ADTS frame announces {size} bytes")
        blocks.append(message[start:at])
    return blocks


def signature(message: bytes) -> bytes:
    """The fixed header's profile, sampling frequency and channels."""
    if len(message) < HEADER_SIZE:
        return b""
    return bytes((message[0], message[1] & 0xF6, message[2] & 0xFD, message[3] & 0xC0))


def audio_specific_config(message: bytes) -> bytes:
    """The AudioSpecificConfig (1.6.2.1) of the first frame. Raises MalformedConfig, UnsupportedConfig."""
    header = _header(message, 0)
    channel_configuration = (header[2] & 1) << 2 | header[3] >> 6
    if channel_configuration == MPEG4_PROGRAM_CONFIG:
        raise UnsupportedConfig("the AAC audio has no sequence header, and its ADTS headers name no channels")
    bits = BitWriter()
    bits.write(1 + (header[2] >> 6), 5)  # audioObjectType is profile_ObjectType + 1
    bits.write(header[2] >> 2 & 15, 4)
    bits.write(channel_configuration, 4)
    bits.write(0, 3)  # GASpecificConfig
    return bits.to_bytes()


def _header(message: bytes, at: int) -> bytes:
    """Raises MalformedConfig."""
    header = message[at : at + HEADER_SIZE]
    if len(header) < HEADER_SIZE or header[0] != SYNC or header[1] & 0xF6 != 0xF0:
        raise MalformedConfig("not an ADTS frame")
    return header
