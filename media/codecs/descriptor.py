"""The interface of a codec: each codec's module defines one of these values.

A decoder configuration record precedes the media in MP4 and FLV, such as an AVCDecoderConfigurationRecord or an
AudioSpecificConfig. A payload is one access unit as MP4 stores it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from media.configs import AudioConfig, VideoConfig
from media.units import Codec, Kind


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """``parse_config`` parses a configuration record; the result includes the RFC 6381 string and picture format.
    Raises MalformedConfig, UnsupportedConfig.

    ``payload_reader`` returns a function that converts a frame, as sent with this record, to a payload; the payload
    of a frame without data is empty. Both raise MalformedConfig.

    ``is_random_access`` returns whether decoding can start at a payload. Raises MalformedConfig.

    ``parameter_sets`` returns a record's parameter sets. Before a random access point's payload, they make it
    decodable without the record's init segment. They are empty for a codec without parameter sets. Parameter sets
    that a publisher sends in band stay in the payload; only a new record changes the configuration.

    ``parse_encoder_headers`` and ``parse_encoder_packet`` parse the output of FFmpeg's encoders of this codec: the
    configuration from the extradata or the first packet, and the payload from a packet. Both raise MalformedConfig.
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
    """For a codec whose frames carry their configuration instead of a record.

    ``signature`` is the part of a payload that the configuration depends on: frames of equal signatures have the
    same configuration. It is called for every frame. ``parse`` returns the configuration in a payload. Raises
    MalformedConfig, UnsupportedConfig.
    """

    signature: Callable[[bytes], bytes]
    parse: Callable[[bytes], AudioConfig]


@dataclass(frozen=True, slots=True)
class AudioCodec:
    """``parse_config`` parses a configuration record; the result includes the RFC 6381 string and frame length.
    Raises MalformedConfig, UnsupportedConfig.

    ``silence`` returns the payload of one silent frame, or None if none can be made for the configuration. Raises
    MalformedConfig, UnsupportedConfig for a record that ``parse_config`` refuses.
    """

    codec: Codec
    parse_config: Callable[[bytes], AudioConfig]
    silence: Callable[[AudioConfig], bytes | None]
    in_band: InBandConfig | None = None

    @property
    def kind(self) -> Kind:
        return Kind.AUDIO
