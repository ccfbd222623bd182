"""The configuration as values: one class per section, every field with its default.

The classes are pure: :mod:`control.config.load` reads the file and the environment. Durations are in seconds, sizes
in bytes, bitrates in bits per second, even if the file has other units.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from control.config.address import Address
from control.config.fields import (
    AppName,
    AutoOrBool,
    Dvr,
    FrameAncestors,
    Host,
    HttpUrl,
    Location,
    Origins,
    Proxies,
    PublicUrl,
    StreamName,
)
from control.config.ladder import ConfiguredLadder
from media.ladder import Ladder
from media.quantities import Bitrate, Duration, Size
from storage.location import DirectoryLocation, StoreLocation
from telemetry.logs import Format, Level
from transcoder.options import Encoder, LatencyMode, Preset, Profile


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RtmpConfig(Section):
    listen: Address = Address("0.0.0.0", 1935)
    public_host: Host | None = None
    app: AppName = "live"
    max_publishers: int = Field(default=1000, ge=1, le=100_000)
    idle_timeout: Annotated[float, Duration(at_least=1, at_most=300)] = 10.0
    reconnect_window: Annotated[float, Duration(at_least=0, at_most=3600)] = 30.0


class HttpConfig(Section):
    listen: Address = Address("0.0.0.0", 8080)
    public_url: PublicUrl | None = None
    cors_origins: Origins = ("*",)
    frame_ancestors: FrameAncestors = ("'self'",)
    trusted_proxies: Proxies = ("127.0.0.1", "::1")


class StoreConfig(Section):
    """``location`` None is the directory ``store`` in the data directory; ``fsync`` applies to a directory only;
    ``s3_path_style`` None is ``"auto"``: the bucket is in the path if there is an endpoint."""

    location: Location | None = None
    fsync: bool = False
    s3_endpoint: HttpUrl | None = None
    s3_region: str | None = None
    s3_path_style: AutoOrBool = None
    upload_buffer: Annotated[int, Size(at_least=2**20, at_most=2**40)] = 256 * 2**20


class PackagerConfig(Section):
    """``dvr`` is how far back viewers may seek while live: the complete broadcast (``"all"``), or seconds."""

    segment_target: Annotated[float, Duration(at_least=0.5, at_most=20)] = 2.0
    part_target: Annotated[float, Duration(at_least=0.1, at_most=5)] = 0.333
    low_latency: bool = True
    playlist_window: Annotated[float, Duration(at_least=6, at_most=3600)] = 60.0
    dvr: Dvr = "all"

    @model_validator(mode="after")
    def _check_durations(self) -> "PackagerConfig":
        if self.part_target > self.segment_target:
            raise ValueError(
                f"part_target ({self.part_target:g}s) is longer than segment_target ({self.segment_target:g}s); "
                "a segment is made of parts, so make it shorter"
            )
        if self.playlist_window < 3 * self.segment_target:
            raise ValueError(
                f"playlist_window ({self.playlist_window:g}s) holds less than three segments of "
                f"{self.segment_target:g}s; players need at least {3 * self.segment_target:g}s"
            )
        if self.dvr != "all" and self.dvr < self.playlist_window:
            raise ValueError(
                f"dvr ({self.dvr:g}s) is shorter than playlist_window ({self.playlist_window:g}s); "
                'make it longer, or "all"'
            )
        return self


class PlaybackConfig(Section):
    """A path token of a private stream is valid for at least ``bucket`` seconds, and for at most twice as long."""

    bucket: Annotated[float, Duration(at_least=60, at_most=7 * 86_400)] = 6 * 3600.0


class TranscoderConfig(Section):
    """With ``threads`` 0, the number depends on the processors; with ``low_audio_bitrate`` None, there is no second
    audio track."""

    ladder: ConfiguredLadder = "auto"
    encoder: Encoder = Encoder.LIBX264
    preset: Preset = Preset.VERYFAST
    profile: Profile = Profile.HIGH
    threads: int = Field(default=0, ge=0, le=64)
    latency: LatencyMode = LatencyMode.LOW
    low_audio_bitrate: Annotated[int, Bitrate(at_least=16_000, at_most=320_000)] | None = None
    max_keyframe_interval: Annotated[float, Duration(at_least=1, at_most=20)] = 6.0


class StreamConfig(Section):
    """One stream's exceptions to ``[transcoder]`` and ``[packager]``; None means no exception."""

    ladder: ConfiguredLadder | None = None
    low_latency: bool | None = None


class LogConfig(Section):
    format: Format = "text"
    level: Level = "info"


class Config(BaseSettings):
    """Everything that an operator may set."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="HEADWATER_",
        env_nested_delimiter="__",
        enable_decoding=False,
    )

    data: Path = Path("data")
    rtmp: RtmpConfig = RtmpConfig()
    http: HttpConfig = HttpConfig()
    store: StoreConfig = StoreConfig()
    packager: PackagerConfig = PackagerConfig()
    playback: PlaybackConfig = PlaybackConfig()
    transcoder: TranscoderConfig = TranscoderConfig()
    streams: dict[StreamName, StreamConfig] = {}
    log: LogConfig = LogConfig()

    @property
    def store_location(self) -> StoreLocation:
        return self.store.location or DirectoryLocation((self.data / "store").expanduser())

    def ladder_of(self, stream: str) -> Ladder:
        """The ladder that the configuration sets for ``stream``, or else for all streams."""
        section = self.streams.get(stream)
        return self.transcoder.ladder if section is None or section.ladder is None else section.ladder

    def low_latency_of(self, stream: str) -> bool:
        """Whether the live playlists of ``stream`` carry parts."""
        section = self.streams.get(stream)
        return self.packager.low_latency if section is None or section.low_latency is None else section.low_latency

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)
