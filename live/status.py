"""The live state of a stream: its owner measures it, and the origin's API returns it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StreamState(StrEnum):
    LIVE = "live"
    WAITING = "waiting"
    IDLE = "idle"


class AudioStatus(Frozen):
    codec: str = Field(examples=["aac"])
    sample_rate: int = Field(examples=[48000])
    channels: int = Field(examples=[2])
    bitrate_bps: int = Field(examples=[160000], description="measured over the last seconds")


class SourceStatus(Frozen):
    """The media that the broadcaster sends, as measured."""

    codec: str | None = Field(examples=["h264"], description="null if there is no video")
    width: int | None = Field(examples=[1280])
    height: int | None = Field(examples=[720])
    fps: float | None = Field(examples=[30.0])
    bitrate_bps: int = Field(examples=[2500000], description="video and audio, over the last seconds")
    keyframe_interval_s: float | None = Field(examples=[2.0])
    audio: AudioStatus | None = None


class RenditionStatus(Frozen):
    track: str = Field(examples=["v480p"])
    kind: str = Field(examples=["video"])
    codec: str = Field(examples=["avc1.64001f"])
    width: int | None = Field(default=None, examples=[854])
    height: int | None = Field(default=None, examples=[480])
    fps: float | None = Field(default=None, examples=[30.0])
    sample_rate: int | None = None
    bitrate_bps: int = Field(examples=[1400000], description="average of the broadcast so far")
    encoded: bool = Field(description="false if the broadcaster's own bytes are passed through")


class PublisherStatus(Frozen):
    address: str = Field(examples=["203.0.113.7:50114"])
    software: str | None = Field(examples=["obs-output module (libobs version 30.2.3)"])
    connected_s: float = Field(examples=[61.5])


class WarningStatus(Frozen):
    code: str = Field(examples=["keyframe-interval"])
    text: str = Field(examples=["keyframe every 8.3 s: set Keyframe Interval to 2 s in OBS, Settings, Output"])
    since_s: float = Field(description="seconds since it was first seen")


class LatencyStatus(Frozen):
    """The duration of one stage on one track, over the last minute of frames or parts."""

    track: str = Field(examples=["v480p"])
    stage: str = Field(examples=["encoded"], description="decoded, encoded, in a part; or fetched, since the part")
    p50_ms: float = Field(examples=[21.5])
    p95_ms: float = Field(examples=[38.0])


class Sample(Frozen):
    """One second of the source, for charts."""

    at: float = Field(description="seconds since the Unix epoch")
    bitrate_bps: int
    fps: float


class StreamStatus(Frozen):
    stream: str = Field(examples=["studio-a"])
    state: StreamState
    broadcast: str | None = Field(default=None, examples=["20261121t104105z-ab12cd"])
    uptime_s: float | None = Field(default=None, examples=[61.5])
    source: SourceStatus | None = None
    renditions: tuple[RenditionStatus, ...] = ()
    publisher: PublisherStatus | None = None
    warnings: tuple[WarningStatus, ...] = ()
    latency: tuple[LatencyStatus, ...] = Field(default=(), description="of one stream in full; empty in a list")


class Latencies(Frozen):
    stages: tuple[LatencyStatus, ...] = ()


class History(Frozen):
    """The last minutes of the source."""

    samples: tuple[Sample, ...] = ()


class Thumbnail(Frozen):
    """The newest picture of the source; no bytes if it has none."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    jpeg: bytes
    at: float
