"""Jobs and codec configurations as JSON text, for the messages that are sent once per job.

Parsing returns a value with fields of the right types, or raises ProtocolViolation.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.descriptions import Fields, MalformedDescription, describe_config, integer, parse_config, plain, text
from media.ladder import MAX_RUNGS
from transcoder.errors import ProtocolViolation
from transcoder.ladder import Rendition
from transcoder.limits import WorkerLimits
from transcoder.messages import AudioRung, Job
from transcoder.options import Encoder, LatencyMode, Preset, Profile, TranscodeOptions

T = TypeVar("T")

MAX_AUDIO_OUTPUTS = 4


def job_to_text(job: Job) -> str:
    return json.dumps(asdict(job), default=_plain)


def job_from_text(described: str) -> Job:
    return _parse(described, _job)


def config_to_text(config: TrackConfig) -> str:
    return json.dumps(describe_config(config))


def config_from_text(described: str) -> TrackConfig:
    return _parse(described, parse_config)


def video_config_from_text(described: str) -> VideoConfig:
    return _parse(described, _video)


def _plain(value: object) -> object:
    """The ``default`` of json.dumps, for values that it cannot encode."""
    if isinstance(value, frozenset):
        return sorted(value)
    rendered = plain(value)
    if rendered is value:
        raise TypeError(f"{type(value).__name__} has no description")
    return rendered


def _parse(described: str, build: Callable[[Fields], T]) -> T:
    try:
        fields = json.loads(described)
        if not isinstance(fields, dict):
            raise ProtocolViolation("a description is not an object")
        return build(fields)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError, MalformedDescription) as error:
        raise ProtocolViolation(f"malformed description: {error}") from None


def _job(fields: Fields) -> Job:
    video, audio = fields["video"], fields["audio"]
    rungs, audio_outputs, off = fields["rungs"], fields["audio_outputs"], fields["off"]
    if len(rungs) > MAX_RUNGS + 1 or len(audio_outputs) > MAX_AUDIO_OUTPUTS or len(off) > len(rungs):
        raise ProtocolViolation("a job has too many outputs")
    return Job(
        video=None if video is None else _video(video),
        rungs=tuple(_rung(rung) for rung in rungs),
        audio=None if audio is None else _audio(audio),
        audio_outputs=tuple(_audio_rung(rung) for rung in audio_outputs),
        options=_options(fields["options"]),
        off=frozenset(text(track) for track in off),
    )


def _video(fields: object) -> VideoConfig:
    config = parse_config(fields)
    if not isinstance(config, VideoConfig):
        raise ProtocolViolation("the configuration is not for video")
    return config


def _audio(fields: object) -> AudioConfig:
    config = parse_config(fields)
    if not isinstance(config, AudioConfig):
        raise ProtocolViolation("the configuration is not for audio")
    return config


def _rung(fields: Fields) -> Rendition:
    return Rendition(
        track=text(fields["track"]),
        width=integer(fields["width"]),
        height=integer(fields["height"]),
        frame_divisor=integer(fields["frame_divisor"]),
        bitrate_bps=integer(fields["bitrate_bps"]),
        max_bitrate_bps=integer(fields["max_bitrate_bps"]),
        buffer_bits=integer(fields["buffer_bits"]),
    )


def _audio_rung(fields: Fields) -> AudioRung:
    rate, channels = fields["sample_rate"], fields["channels"]
    return AudioRung(
        track=text(fields["track"]),
        bitrate_bps=integer(fields["bitrate_bps"]),
        sample_rate=None if rate is None else integer(rate),
        channels=None if channels is None else integer(channels),
    )


def _options(fields: Fields) -> TranscodeOptions:
    low_audio, device, limits = fields["low_audio_bps"], fields["device"], fields["limits"]
    max_memory = limits["max_memory"]
    return TranscodeOptions(
        encoder=Encoder(fields["encoder"]),
        preset=Preset(fields["preset"]),
        profile=Profile(fields["profile"]),
        threads=integer(fields["threads"]),
        latency=LatencyMode(fields["latency"]),
        low_audio_bps=None if low_audio is None else integer(low_audio),
        device=None if device is None else text(device),
        limits=WorkerLimits(None if max_memory is None else integer(max_memory), integer(limits["max_pixels"])),
    )
