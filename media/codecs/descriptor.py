"""Everything that the rest of Headwater asks a codec. Each codec's file makes one of these values.

A decoder configuration record is what MP4 and FLV put before the media: an AVCDecoderConfigurationRecord, an
AudioSpecificConfig. A payload is one access unit in the form that MP4 stores it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from media.configs import AudioConfig, VideoConfig
from media.units import Codec, Kind


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """``parse_config`` reads a configuration record, the RFC 6381 string and the picture's format included.
    Raises MalformedConfig, UnsupportedConfig.

    ``payload_reader`` returns the function that turns a frame, as it comes with this record, into a payload; that
    function returns nothing for a frame without data. Both raise MalformedConfig.

    ``is_random_access`` is whether decoding can start at a payload. Raises MalformedConfig.

    ``parameter_sets`` of a record are put in front of a random access point's payload, so that it can be decoded
    without this record's init segment; empty for a codec without parameter sets. Those that a publisher sends in
    band stay in the payload and do not change the configuration: only a new record does.

    ``parse_encoder_headers`` and ``parse_encoder_packet`` read what FFmpeg's encoders of this codec produce: the
    configuration from their extradata or first packet, and a payload from a packet. Both raise MalformedConfig.
    """

    codec: Codec
    parse_config: Callable[[bytes], VideoConfig]
    payload_reader: Callable[[bytes], Callable[[bytes], bytes]]
    is_random_access: Callable[[bytes], bool]
    parameter_sets: Callable[[bytes], bytes]
    parse_encoder_headers: Callable[[bytes], VideoConfig]
    parse_encoder_packet: Callable[[bytes], bytes]

    @property
    def kind(self) -> Kind:
        return Kind.VIDEO


@dataclass(frozen=True, slots=True)
class InBandConfig:
    """For a codec whose frames carry their configuration, so that no record comes before them.

    ``signature`` is the part of a payload that the configuration depends on: frames of equal signatures have the
    same configuration. It runs for every frame. ``parse`` reads the configuration of a payload. Raises
    MalformedConfig, UnsupportedConfig.
    """

    signature: Callable[[bytes], bytes]
    parse: Callable[[bytes], AudioConfig]


@dataclass(frozen=True, slots=True)
class AudioCodec:
    """``parse_config`` reads a configuration record, the RFC 6381 string and the samples in a frame included.
    Raises MalformedConfig, UnsupportedConfig.

    ``silence`` is the payload of one silent frame; None if none can be made for this configuration. Raises
    MalformedConfig, UnsupportedConfig for a record that ``parse_config`` refuses.
    """

    codec: Codec
    parse_config: Callable[[bytes], AudioConfig]
    silence: Callable[[AudioConfig], bytes | None]
    in_band: InBandConfig | None = None

    @property
    def kind(self) -> Kind:
        return Kind.AUDIO
