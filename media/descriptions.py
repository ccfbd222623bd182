"""Track configurations as JSON fields, for pipes between processes and for stored ledgers.

Parsing returns a configuration with fields of the right types, or raises MalformedDescription.
"""

from base64 import b64decode, b64encode
from dataclasses import asdict
from enum import Enum
from fractions import Fraction
from typing import Any, ClassVar

from media.codecs import audio_codec, codec, video_codec
from media.configs import AudioConfig, Colour, TrackConfig, VideoConfig
from media.errors import MediaError, UnsupportedConfig
from media.units import Codec, Kind

Fields = dict[str, Any]


class MalformedDescription(MediaError):
    """Fields that do not describe a track's configuration."""

    code: ClassVar[str] = "malformed-description"


def describe_config(config: TrackConfig) -> Fields:
    """``config`` as fields that JSON can represent; bytes are base64 (RFC 4648, 4)."""
    return {name: plain(value) for name, value in asdict(config).items()}


def parse_config(fields: object) -> TrackConfig:
    """Raises MalformedDescription."""
    try:
        if not isinstance(fields, dict):
            raise MalformedDescription("a configuration is not an object")
        return _config(fields)
    except (ValueError, TypeError, KeyError, ArithmeticError, UnsupportedConfig) as error:
        raise MalformedDescription(f"malformed configuration: {error}") from None


def plain(value: object) -> object:
    """``value`` as a type that JSON has."""
    match value:
        case bytes():
            return b64encode(value).decode()
        case Fraction():
            return f"{value.numerator}/{value.denominator}"
        case Enum():
            return value.value
    return value


def _config(fields: Fields) -> TrackConfig:
    kind = codec(Codec(text(fields["codec"]))).kind
    return _video(fields) if kind is Kind.VIDEO else _audio(fields)


def _video(fields: Fields) -> VideoConfig:
    rate, colour = fields["frame_rate"], fields["colour"]
    return VideoConfig(
        codec=video_codec(Codec(text(fields["codec"]))).codec,
        record=_bytes(fields["record"]),
        codec_string=text(fields["codec_string"]),
        width=integer(fields["width"]),
        height=integer(fields["height"]),
        sample_aspect_ratio=_ratio(fields["sample_aspect_ratio"]),
        frame_rate=None if rate is None else _ratio(rate),
        colour=None if colour is None else _colour(colour),
        interlaced=bool(fields["interlaced"]),
        # Ledgers that were stored by earlier versions lack these.
        chroma_format_idc=integer(fields.get("chroma_format_idc", 1)),
        bit_depth=integer(fields.get("bit_depth", 8)),
    )


def _colour(fields: Fields) -> Colour:
    return Colour(
        primaries=integer(fields["primaries"]),
        transfer=integer(fields["transfer"]),
        matrix=integer(fields["matrix"]),
        full_range=bool(fields["full_range"]),
    )


def _audio(fields: Fields) -> AudioConfig:
    return AudioConfig(
        codec=audio_codec(Codec(text(fields["codec"]))).codec,
        record=_bytes(fields["record"]),
        codec_string=text(fields["codec_string"]),
        sample_rate=integer(fields["sample_rate"]),
        channels=integer(fields["channels"]),
        frame_samples=integer(fields["frame_samples"]),
    )


def integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**40:
        raise MalformedDescription(f"{value!r:.80} is not a whole number in range")
    return value


def _ratio(value: object) -> Fraction:
    numerator, _, denominator = text(value).partition("/")
    return Fraction(integer(int(numerator)), integer(int(denominator)))


def text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 255:
        raise MalformedDescription(f"{value!r:.80} is not a short text")
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise MalformedDescription(f"{value!r:.80} is not a base64 text")
    return b64decode(value, validate=True)
