"""H.264 (ITU-T H.264) in MP4 and FLV (ISO/IEC 14496-15)."""

from media.codecs.descriptor import VideoCodec
from media.codecs.h264.configuration import (
    annexb_config,
    config_parameter_sets,
    largest_picture,
    parse_avc_config,
    updated_config,
)
from media.codecs.h264.messages import join, message_reader
from media.codecs.h264.nal_units import annexb_to_lengths, begins_with_start_code
from media.codecs.h264.random_access import is_random_access_point
from media.codecs.h264.slices import picture_matcher
from media.units import Codec

__all__ = ["H264"]

H264 = VideoCodec(
    codec=Codec.H264,
    parse_config=parse_avc_config,
    message_reader=message_reader,
    has_start_codes=begins_with_start_code,
    is_random_access=is_random_access_point,
    parameter_sets=config_parameter_sets,
    update_config=updated_config,
    largest_picture=largest_picture,
    picture_matcher=picture_matcher,
    join=join,
    parse_encoder_headers=annexb_config,
    parse_encoder_packet=annexb_to_lengths,
)
