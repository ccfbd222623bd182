"""The live state of a stream: its owner measures it, and the origin's API returns it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from media.promises import BROADCAST, CODE, NOT_NEGATIVE, STREAM, allow_new_fields
from media.roles import Role


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(Frozen):
    """What the API answers with."""

    model_config = ConfigDict(json_schema_extra=allow_new_fields)


class StreamState(StrEnum):
    LIVE = "live"
    WAITING = "waiting"
    IDLE = "idle"


class AudioStatus(Answer):
    codec: str = Field(examples=["aac"])
    sample_rate: int = Field(examples=[48000], json_schema_extra=NOT_NEGATIVE)
    channels: int = Field(examples=[2], json_schema_extra=NOT_NEGATIVE)
    bitrate_bps: int = Field(
        examples=[160000], description="measured over the last seconds", json_schema_extra=NOT_NEGATIVE
    )


class SourceStatus(Answer):
    """The media that the broadcaster sends, as measured."""

    codec: str | None = Field(examples=["h264"], description="null if there is no video")
    width: int | None = Field(examples=[1280], json_schema_extra=NOT_NEGATIVE)
    height: int | None = Field(examples=[720], json_schema_extra=NOT_NEGATIVE)
    fps: float | None = Field(examples=[30.0], json_schema_extra=NOT_NEGATIVE)
    bitrate_bps: int = Field(
        examples=[2500000], description="video and audio, over the last seconds", json_schema_extra=NOT_NEGATIVE
    )
    keyframe_interval_s: float | None = Field(examples=[2.0], json_schema_extra=NOT_NEGATIVE)
    audio: AudioStatus | None = None


class RenditionStatus(Answer):
    track: str = Field(examples=["v480p"])
    kind: str = Field(examples=["video"], json_schema_extra={"enum": ["video", "audio"]})
    codec: str = Field(examples=["avc1.64001f"])
    width: int | None = Field(default=None, examples=[854], json_schema_extra=NOT_NEGATIVE)
    height: int | None = Field(default=None, examples=[480], json_schema_extra=NOT_NEGATIVE)
    fps: float | None = Field(default=None, examples=[30.0], json_schema_extra=NOT_NEGATIVE)
    sample_rate: int | None = Field(default=None, examples=[48000], json_schema_extra=NOT_NEGATIVE)
    bitrate_bps: int = Field(
        examples=[1400000], description="average of the broadcast so far", json_schema_extra=NOT_NEGATIVE
    )
    encoded: bool = Field(examples=[True], description="false if the broadcaster's own bytes are passed through")


class PublisherStatus(Answer):
    address: str = Field(examples=["203.0.113.7:50114"])
    software: str | None = Field(examples=["obs-output module (libobs version 30.2.3)"])
    connected_s: float = Field(examples=[61.5], json_schema_extra=NOT_NEGATIVE)
    role: Role = Field(default=Role.PRIMARY, examples=["primary"], description="whose stream key it has")
    key: str | None = Field(default=None, examples=["guest"], description="the name of its stream key")


class WarningStatus(Answer):
    code: str = Field(examples=["keyframe-interval"], json_schema_extra=CODE)
    text: str = Field(examples=["keyframe every 8.3 s: set Keyframe Interval to 2 s in OBS, Settings, Output"])
    since_s: float = Field(
        examples=[30.0], description="seconds since it was first seen", json_schema_extra=NOT_NEGATIVE
    )


class LatencyStatus(Answer):
    """The duration of one stage on one track, over the last minute of frames or parts."""

    track: str = Field(examples=["v480p"])
    stage: str = Field(examples=["encoded"], description="decoded, encoded, in a part; or fetched, since the part")
    p50_ms: float = Field(examples=[21.5], json_schema_extra=NOT_NEGATIVE)
    p95_ms: float = Field(examples=[38.0], json_schema_extra=NOT_NEGATIVE)


class Sample(Answer):
    """One second of the source, for charts."""

    at: float = Field(
        examples=[1795257665.0], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    bitrate_bps: int = Field(examples=[2500000], json_schema_extra=NOT_NEGATIVE)
    fps: float = Field(examples=[30.0], json_schema_extra=NOT_NEGATIVE)


class StreamStatus(Answer):
    stream: str = Field(examples=["studio-a"], json_schema_extra=STREAM)
    state: StreamState = Field(examples=["live"])
    broadcast: str | None = Field(default=None, examples=["20261121t104105z-ab12cd"], json_schema_extra=BROADCAST)
    uptime_s: float | None = Field(default=None, examples=[61.5], json_schema_extra=NOT_NEGATIVE)
    source: SourceStatus | None = None
    renditions: tuple[RenditionStatus, ...] = ()
    publisher: PublisherStatus | None = Field(default=None, description="the one on air")
    standby: PublisherStatus | None = Field(default=None, description="the other one, if both are connected")
    warnings: tuple[WarningStatus, ...] = ()
    latency: tuple[LatencyStatus, ...] = Field(default=(), description="of one stream in full; empty in a list")


class Latencies(Frozen):
    stages: tuple[LatencyStatus, ...] = ()


class History(Answer):
    """The last minutes of the source."""

    samples: tuple[Sample, ...] = ()


class Thumbnail(Frozen):
    """The newest picture of the source; no bytes if it has none."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    jpeg: bytes
    at: float
