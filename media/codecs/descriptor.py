"""The interface of a codec: each codec's module defines one of these values.

A decoder configuration record precedes the media in MP4 and FLV, such as an AVCDecoderConfigurationRecord or an
AudioSpecificConfig. A payload is one access unit as MP4 stores it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from media.configs import AudioConfig, VideoConfig
from media.units import Codec, Kind


class Content(Enum):
    """What a video message contains. Most encoders send each access unit as one message: a picture."""

    PICTURE = "picture"
    """A picture from its start, without parameter sets."""
    CONFIGURED_PICTURE = "configured-picture"
    """A picture from its start, with parameter sets."""
    CONTINUATION = "continuation"
    """More of the picture whose start was an earlier message."""
    BEFORE = "before"
    """No picture: data that belongs to the next one, such as parameter sets."""
    AFTER = "after"
    """No picture: data that belongs to the last one, such as padding."""


Message = tuple[bytes, Content]
"""A message's payload and what it contains. It is a plain tuple for speed, because each frame makes one."""


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """``parse_config`` parses a configuration record; the result includes the RFC 6381 string and picture format.
    Raises MalformedConfig, UnsupportedConfig.

    ``message_reader`` returns a function that converts a message, as sent with this record, to a payload; that of a
    message without data is empty. The record is empty if none was sent. Both raise MalformedConfig, and the
    function TooManyNalUnits.

    ``has_start_codes`` returns whether a message that was converted has start codes in place of lengths.

    ``is_random_access`` returns whether decoding can start at a payload. Raises MalformedConfig.

    ``parameter_sets`` returns a record's parameter sets. Before a random access point's payload, they make it
    decodable without the record's init segment. They are empty for a codec without parameter sets.

    ``update_config`` returns the configuration after the parameter sets in a payload, or None if they do not change
    the record. If the record is empty, they must be complete. Parameter sets that a publisher sends in band stay in
    the payload too. Raises MalformedConfig.

    ``largest_picture`` returns the luma samples of the largest picture that a payload's parameter sets describe, 0
    if it has none. Raises MalformedConfig, TooManyNalUnits.

    ``picture_matcher`` returns a function for payloads sent with a record. It takes a payload and a continuation,
    and returns whether both belong to the same picture. Raises MalformedConfig.

    ``join`` makes one access unit of the payloads of several messages. Raises TooManyNalUnits.

    ``parse_encoder_headers`` and ``parse_encoder_packet`` parse the output of FFmpeg's encoders of this codec: the
    configuration from the extradata or the first packet, and the payload from a packet. Both raise MalformedConfig.
    """

    codec: Codec
    parse_config: Callable[[bytes], VideoConfig]
    message_reader: Callable[[bytes], Callable[[bytes], Message]]
    has_start_codes: Callable[[bytes], bool]
    is_random_access: Callable[[bytes], bool]
    parameter_sets: Callable[[bytes], bytes]
    update_config: Callable[[bytes, bytes], VideoConfig | None]
    largest_picture: Callable[[bytes], int]
    picture_matcher: Callable[[bytes], Callable[[bytes, bytes], bool]]
    join: Callable[[Sequence[bytes]], bytes]
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
class Transport:
    """For a codec whose frames some encoders leave in a transport format.

    ``sync`` is the first byte of that format; no frame of the codec starts with it. ``split`` returns the payloads
    of the frames in a message. Raises MalformedConfig. ``config`` parses the configuration if no record was sent.
    """

    sync: int
    split: Callable[[bytes], Sequence[bytes]]
    config: InBandConfig


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
    transport: Transport | None = None

    @property
    def kind(self) -> Kind:
        return Kind.AUDIO
