"""H.264 (ITU-T H.264) in MP4 and FLV (ISO/IEC 14496-15)."""

from collections.abc import Callable
from functools import partial

from media.codecs.descriptor import VideoCodec
from media.codecs.h264.configuration import (
    annexb_config,
    config_parameter_sets,
    nal_length_size,
    parse_avc_config,
)
from media.codecs.h264.nal_units import LENGTH_SIZE, annexb_to_lengths, relength
from media.codecs.h264.random_access import is_random_access_point
from media.units import Codec

__all__ = ["H264"]


def payload_reader(record: bytes) -> Callable[[bytes], bytes]:
    """The function that converts the record's NAL lengths to 4 bytes. Raises MalformedConfig."""
    size = nal_length_size(record)
    return relength if size == LENGTH_SIZE else partial(relength, size=size)


H264 = VideoCodec(
    codec=Codec.H264,
    parse_config=parse_avc_config,
    payload_reader=payload_reader,
    is_random_access=is_random_access_point,
    parameter_sets=config_parameter_sets,
    parse_encoder_headers=annexb_config,
    parse_encoder_packet=annexb_to_lengths,
)
