"""MPEG audio layer III frames (ISO/IEC 11172-3, 2.4.1.3; ISO/IEC 13818-3; and the unofficial MPEG-2.5).

There is no configuration record: each frame's header carries the configuration.
"""

from media.codecs.descriptor import AudioCodec, InBandConfig
from media.configs import AudioConfig
from media.errors import MalformedConfig, UnsupportedConfig
from media.units import Codec

HEADER_SIZE = 4
LAYER_III = 1
MONO = 3
# By the version field; 1 is reserved.
SAMPLE_RATES = {0: (11025, 12000, 8000), 2: (22050, 24000, 16000), 3: (44100, 48000, 32000)}
FRAME_SAMPLES = {0: 576, 2: 576, 3: 1152}


def parse_frame_header(payload: bytes) -> AudioConfig:
    """The configuration in the header of a frame. Raises MalformedConfig, UnsupportedConfig."""
    if len(payload) < HEADER_SIZE:
        raise MalformedConfig("an MP3 frame is shorter than its header")
    header = int.from_bytes(payload[:HEADER_SIZE], "big")
    if header >> 21 != 0x7FF:
        raise MalformedConfig("an MP3 frame does not start with its sync word")
    version = header >> 19 & 3
    layer = header >> 17 & 3
    bitrate_index = header >> 12 & 15
    rate_index = header >> 10 & 3
    if version not in SAMPLE_RATES or layer == 0 or bitrate_index == 15 or rate_index == 3:
        raise MalformedConfig("an MP3 frame header has a reserved value")
    if layer != LAYER_III:
        raise UnsupportedConfig(f"the audio is MPEG layer {4 - layer}; send AAC or MP3 (layer 3)")
    return AudioConfig(
        codec=Codec.MP3,
        record=b"",
        codec_string="mp4a.40.34",
        sample_rate=SAMPLE_RATES[version][rate_index],
        channels=1 if header >> 6 & 3 == MONO else 2,
        frame_samples=FRAME_SAMPLES[version],
    )


def signature(frame: bytes) -> bytes:
    """Sync word, version and layer, sample rate, mono or not (ISO/IEC 11172-3, 2.4.1.3)."""
    if len(frame) < HEADER_SIZE:
        return b""
    return bytes((frame[0], frame[1] & 0xFE, frame[2] & 0x0C, frame[3] >> 6 == MONO))


def refuse_record(record: bytes) -> AudioConfig:
    """Raises MalformedConfig."""
    raise MalformedConfig(f"MP3 has no configuration record, but {len(record)} bytes were sent as one")


MP3 = AudioCodec(
    codec=Codec.MP3,
    parse_config=refuse_record,
    silence=lambda config: None,
    in_band=InBandConfig(signature, parse_frame_header),
)
