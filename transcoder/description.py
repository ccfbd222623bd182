"""Jobs and codec configurations as JSON text, for the messages that are sent once a job.

Any text gives either a value of the right types or ProtocolViolation.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import asdict
from enum import Enum
from fractions import Fraction
from typing import Any, TypeVar

from media.codecs import audio_codec, codec, video_codec
from media.configs import AudioConfig, Colour, TrackConfig, VideoConfig
from media.errors import UnsupportedConfig
from media.units import Codec, Kind
from transcoder.errors import ProtocolViolation
from transcoder.ladder import MAX_RUNGS, Rung
from transcoder.messages import AudioRung, Job
from transcoder.options import Encoder, LatencyMode, Preset, Profile, TranscodeOptions

T = TypeVar("T")
Fields = dict[str, Any]

MAX_AUDIO_OUTPUTS = 4


def job_to_text(job: Job) -> str:
    return json.dumps(asdict(job), default=_plain)


def job_from_text(text: str) -> Job:
    return _parse(text, _job)


def config_to_text(config: TrackConfig) -> str:
    return json.dumps(asdict(config), default=_plain)


def config_from_text(text: str) -> TrackConfig:
    return _parse(text, _config)


def video_config_from_text(text: str) -> VideoConfig:
    return _parse(text, _video)


def _plain(value: object) -> str:
    match value:
        case bytes():
            return b64encode(value).decode()
        case Fraction():
            return f"{value.numerator}/{value.denominator}"
        case Enum():
            return str(value.value)
    raise TypeError(f"{type(value).__name__} has no description")


def _parse(text: str, build: Callable[[Fields], T]) -> T:
    try:
        fields = json.loads(text)
        if not isinstance(fields, dict):
            raise ProtocolViolation("a description is not an object")
        return build(fields)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError, UnsupportedConfig) as error:
        raise ProtocolViolation(f"malformed description: {error}") from None


def _job(fields: Fields) -> Job:
    video, audio = fields["video"], fields["audio"]
    rungs, audio_outputs = fields["rungs"], fields["audio_outputs"]
    if len(rungs) > MAX_RUNGS + 1 or len(audio_outputs) > MAX_AUDIO_OUTPUTS:
        raise ProtocolViolation("a job has too many outputs")
    return Job(
        video=None if video is None else _video(video),
        rungs=tuple(_rung(rung) for rung in rungs),
        audio=None if audio is None else _audio(audio),
        audio_outputs=tuple(_audio_rung(rung) for rung in audio_outputs),
        options=_options(fields["options"]),
    )


def _config(fields: Fields) -> TrackConfig:
    kind = codec(Codec(_text(fields["codec"]))).kind
    return _video(fields) if kind is Kind.VIDEO else _audio(fields)


def _video(fields: Fields) -> VideoConfig:
    rate, colour = fields["frame_rate"], fields["colour"]
    return VideoConfig(
        codec=video_codec(Codec(_text(fields["codec"]))).codec,
        record=_bytes(fields["record"]),
        codec_string=_text(fields["codec_string"]),
        width=_integer(fields["width"]),
        height=_integer(fields["height"]),
        sample_aspect_ratio=_ratio(fields["sample_aspect_ratio"]),
        frame_rate=None if rate is None else _ratio(rate),
        colour=None if colour is None else _colour(colour),
        interlaced=bool(fields["interlaced"]),
    )


def _colour(fields: Fields) -> Colour:
    return Colour(
        primaries=_integer(fields["primaries"]),
        transfer=_integer(fields["transfer"]),
        matrix=_integer(fields["matrix"]),
        full_range=bool(fields["full_range"]),
    )


def _audio(fields: Fields) -> AudioConfig:
    return AudioConfig(
        codec=audio_codec(Codec(_text(fields["codec"]))).codec,
        record=_bytes(fields["record"]),
        codec_string=_text(fields["codec_string"]),
        sample_rate=_integer(fields["sample_rate"]),
        channels=_integer(fields["channels"]),
        frame_samples=_integer(fields["frame_samples"]),
    )


def _rung(fields: Fields) -> Rung:
    return Rung(
        track=_text(fields["track"]),
        width=_integer(fields["width"]),
        height=_integer(fields["height"]),
        frame_divisor=_integer(fields["frame_divisor"]),
        bitrate_bps=_integer(fields["bitrate_bps"]),
        max_bitrate_bps=_integer(fields["max_bitrate_bps"]),
        buffer_bits=_integer(fields["buffer_bits"]),
    )


def _audio_rung(fields: Fields) -> AudioRung:
    rate, channels = fields["sample_rate"], fields["channels"]
    return AudioRung(
        track=_text(fields["track"]),
        bitrate_bps=_integer(fields["bitrate_bps"]),
        sample_rate=None if rate is None else _integer(rate),
        channels=None if channels is None else _integer(channels),
    )


def _options(fields: Fields) -> TranscodeOptions:
    low_audio, device = fields["low_audio_bps"], fields["device"]
    return TranscodeOptions(
        encoder=Encoder(fields["encoder"]),
        preset=Preset(fields["preset"]),
        profile=Profile(fields["profile"]),
        threads=_integer(fields["threads"]),
        latency=LatencyMode(fields["latency"]),
        low_audio_bps=None if low_audio is None else _integer(low_audio),
        device=None if device is None else _text(device),
    )


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**40:
        raise ProtocolViolation(f"{value!r:.80} is not a whole number in range")
    return value


def _ratio(value: object) -> Fraction:
    numerator, _, denominator = _text(value).partition("/")
    return Fraction(_integer(int(numerator)), _integer(int(denominator)))


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 255:
        raise ProtocolViolation(f"{value!r:.80} is not a short text")
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise ProtocolViolation(f"{value!r:.80} is not a base64 text")
    return b64decode(value, validate=True)
