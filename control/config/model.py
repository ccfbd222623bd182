"""The configuration as values: one class per section, every field with its default.

The classes are pure: :mod:`control.config.load` reads the file and the environment. Durations are in seconds, sizes
in bytes, bitrates in bits per second, even if the file has other units.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from control.cache_purge import PurgeMethod
from control.config.address import Address
from control.config.fields import (
    AddressOrOff,
    AppName,
    AutoOrBool,
    Dvr,
    FrameAncestors,
    Headers,
    HookSecret,
    HookUrl,
    Host,
    HttpUrl,
    Location,
    Origins,
    PictureSize,
    Proxies,
    PublicUrl,
    StreamName,
    Urls,
    auto,
    empty,
    off,
)
from control.config.ladder import ConfiguredLadder
from media.ladder import Ladder
from media.limits import DEFAULT_GRACE_S, LONGEST_GRACE_S, MAX_PIXELS
from media.quantities import Bitrate, Duration, Size
from media.slate import SlateMode
from storage.catalogue.records import LARGEST_COUNT, LARGEST_SIZE, LONGEST_AGE_S, LONGEST_RECONNECT_S
from storage.location import DirectoryLocation, StoreLocation
from telemetry.logs import Format, Level
from transcoder.options import Encoder, LatencyMode, Preset, Profile

# Only Headwater reads a directory, and it reads recordings there.
DIRECTORY_PLAYLIST_EVERY_S = 10.0


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


AutoOrPeriod = Annotated[Annotated[float, Duration(at_least=0, at_most=60)] | None, BeforeValidator(auto)]
ReconnectWindow = Annotated[float, Duration(at_least=0, at_most=LONGEST_RECONNECT_S)]


class RtmpConfig(Section):
    """``listen`` None is ``"off"``: only RTMPS. ``max_picture`` is luma samples."""

    listen: AddressOrOff = Address("0.0.0.0", 1935)
    public_host: Host | None = None
    app: AppName = "live"
    max_publishers: int = Field(default=1000, ge=1, le=100_000)
    max_bitrate: Annotated[int, Bitrate(at_least=1_000_000, at_most=2_000_000_000)] = 100_000_000
    max_picture: PictureSize = MAX_PIXELS
    max_pending: int = Field(default=256, ge=1, le=100_000)
    max_pending_per_address: int = Field(default=64, ge=1, le=100_000)
    trusted_proxies: Proxies = ()
    idle_timeout: Annotated[float, Duration(at_least=1, at_most=300)] = 10.0
    reconnect_window: ReconnectWindow = 60.0
    slate: SlateMode = SlateMode.OFF
    slate_image: Path | None = None
    slate_after: Annotated[float, Duration(at_least=0, at_most=600)] = 3.0
    switch_after: Annotated[float, Duration(at_least=0.3, at_most=60)] = 1.0
    on_conflict: Literal["take-over", "refuse"] = "take-over"
    drain_grace: Annotated[float, Duration(at_least=0, at_most=LONGEST_GRACE_S)] = DEFAULT_GRACE_S


class RtmpsConfig(Section):
    """The port for RTMP in TLS, which is open if there is a certificate. ``certificate`` and ``key`` are PEM files;
    the first one has the chain."""

    listen: Address = Address("0.0.0.0", 1936)
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _check_files(self) -> "RtmpsConfig":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("set certificate and key, both as paths of PEM files, or neither")
        return self


class HttpConfig(Section):
    listen: Address = Address("0.0.0.0", 8080)
    public_url: PublicUrl | None = None
    cors_origins: Origins = ("*",)
    frame_ancestors: FrameAncestors = ("'self'",)
    trusted_proxies: Proxies = ("127.0.0.1", "::1")
    max_connections: int = Field(default=10_000, ge=1, le=1_000_000)
    max_connections_per_address: int = Field(default=256, ge=1, le=1_000_000)
    request_timeout: Annotated[float, Duration(at_least=1, at_most=300)] = 10.0
    send_timeout: Annotated[float, Duration(at_least=1, at_most=300)] = 30.0
    idle_timeout: Annotated[float, Duration(at_least=1, at_most=3600)] = 15.0


class StoreConfig(Section):
    """``location`` None is the directory ``store`` in the data directory, ``spool`` None the directory ``spool``
    there; ``playlist_every`` None is ``"auto"``: 0 for a bucket, which may be served directly; ``fsync`` applies to
    a directory only; ``s3_path_style`` None is ``"auto"``: the bucket is in the path if there is an endpoint."""

    location: Location | None = None
    playlist_every: AutoOrPeriod = None
    fsync: bool = False
    s3_endpoint: HttpUrl | None = None
    s3_region: str | None = None
    s3_path_style: AutoOrBool = None
    spool: Path | None = None
    spool_size: Annotated[int, Size(at_least=2**20, at_most=2**50)] = 16 * 2**30
    upload_buffer: Annotated[int, Size(at_least=2**20, at_most=2**40)] = 256 * 2**20


class RetentionConfig(Section):
    """The recordings of each stream that stay; None is no limit. A sweep deletes the others."""

    max_age: Annotated[
        Annotated[float, Duration(at_least=60, at_most=LONGEST_AGE_S)] | None, BeforeValidator(off)
    ] = None
    max_size: Annotated[Annotated[int, Size(at_least=0, at_most=LARGEST_SIZE)] | None, BeforeValidator(off)] = None
    max_count: Annotated[Annotated[int, Field(ge=0, le=LARGEST_COUNT)] | None, BeforeValidator(off)] = None
    sweep_every: Annotated[float, Duration(at_least=60, at_most=86_400)] = 3600.0


class CacheConfig(Section):
    """Caches that are asked to forget what is deleted."""

    purge_urls: Urls = ()
    purge_method: PurgeMethod = PurgeMethod.PURGE


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


class QoeConfig(Section):
    """Reports of players about playback (CMCD)."""

    enabled: bool = True


class TranscoderConfig(Section):
    """With ``threads`` 0, the number depends on the processors; with ``low_audio_bitrate`` None, there is no second
    audio track. ``max_memory`` is the address space of a child that encodes without a GPU. ``max_pixel_rate`` is
    megapixels per second of all renditions that the server encodes; None is no limit."""

    ladder: ConfiguredLadder = "auto"
    encoder: Encoder = Encoder.LIBX264
    preset: Preset = Preset.VERYFAST
    profile: Profile = Profile.HIGH
    threads: int = Field(default=0, ge=0, le=64)
    latency: LatencyMode = LatencyMode.LOW
    low_audio_bitrate: Annotated[int, Bitrate(at_least=16_000, at_most=320_000)] | None = None
    max_memory: Annotated[int, Size(at_least=512 * 2**20, at_most=2**40)] = 4 * 2**30
    max_keyframe_interval: Annotated[float, Duration(at_least=1, at_most=20)] = 6.0
    max_pixel_rate: float | None = Field(default=None, ge=1, le=1_000_000)
    on_budget: Literal["reduce", "refuse"] = "reduce"


class StreamConfig(Section):
    """One stream's exceptions to ``[transcoder]``, ``[packager]`` and ``[rtmp]``; None means no exception."""

    ladder: ConfiguredLadder | None = None
    low_latency: bool | None = None
    reconnect_window: ReconnectWindow | None = None
    slate: SlateMode | None = None


class OnPublishConfig(Section):
    """The operator's service that is asked before a publisher is accepted; none if ``url`` is None."""

    url: HookUrl | None = None
    secret: HookSecret | None = None
    timeout: Annotated[float, Duration(at_least=0.1, at_most=2)] = 2.0
    on_failure: Literal["deny", "allow"] = "deny"
    send_key: bool = False

    @model_validator(mode="after")
    def _check_secret(self) -> "OnPublishConfig":
        if self.url is not None and self.secret is None:
            raise ValueError("url needs a secret, so that the service can check who asks: set secret")
        return self


class HooksConfig(Section):
    """``retry_for`` is how long a webhook message is tried."""

    allow_private: bool = False
    retry_for: Annotated[float, Duration(at_least=60, at_most=7 * 86_400)] = 86_400.0


class LogConfig(Section):
    format: Format = "text"
    level: Level = "info"


class TracingConfig(Section):
    """There are no traces if ``endpoint`` is None. ``sample`` is a share."""

    endpoint: Annotated[HttpUrl | None, BeforeValidator(empty)] = None
    headers: Headers = {}
    sample: float = Field(default=0.01, ge=0, le=1)
    service_name: str = Field(default="headwater", min_length=1, max_length=255)


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
    rtmps: RtmpsConfig = RtmpsConfig()
    http: HttpConfig = HttpConfig()
    store: StoreConfig = StoreConfig()
    retention: RetentionConfig = RetentionConfig()
    cache: CacheConfig = CacheConfig()
    packager: PackagerConfig = PackagerConfig()
    playback: PlaybackConfig = PlaybackConfig()
    qoe: QoeConfig = QoeConfig()
    transcoder: TranscoderConfig = TranscoderConfig()
    streams: dict[StreamName, StreamConfig] = {}
    on_publish: OnPublishConfig = OnPublishConfig()
    hooks: HooksConfig = HooksConfig()
    log: LogConfig = LogConfig()
    tracing: TracingConfig = TracingConfig()

    @model_validator(mode="after")
    def _check_slates(self) -> "Config":
        modes = {"rtmp": self.rtmp.slate, **{f"streams.{name}": one.slate for name, one in self.streams.items()}}
        without = [place for place, mode in modes.items() if mode is SlateMode.IMAGE]
        if without and self.rtmp.slate_image is None:
            raise ValueError(f'[{without[0]}] slate is "image": set [rtmp] slate_image to a PNG or JPEG file')
        return self

    @model_validator(mode="after")
    def _check_ways_in(self) -> "Config":
        if self.rtmp.listen is None and self.rtmps.certificate is None:
            raise ValueError('[rtmp] listen is "off", so nobody can publish: set [rtmps] certificate and key')
        return self

    @property
    def store_location(self) -> StoreLocation:
        return self.store.location or DirectoryLocation((self.data / "store").expanduser())

    @property
    def playlist_every_s(self) -> float:
        """How often the stored playlists of a broadcast on air are renewed; 0 is after every segment. With a DVR
        window, old segments are deleted, so a stored playlist may not lag behind."""
        if self.packager.dvr != "all":
            return 0.0
        if self.store.playlist_every is not None:
            return self.store.playlist_every
        return DIRECTORY_PLAYLIST_EVERY_S if isinstance(self.store_location, DirectoryLocation) else 0.0

    @property
    def spool(self) -> Path:
        """The local directory for journals, and for media that the store has not taken."""
        return (self.store.spool or self.data / "spool").expanduser()

    @property
    def directories(self) -> tuple[Path, ...]:
        """The directories in which the server writes, the data directory first."""
        location = self.store_location
        stores = (location.path,) if isinstance(location, DirectoryLocation) else ()
        return tuple(dict.fromkeys((self.data, self.spool, *stores)))

    def ladder_of(self, stream: str) -> Ladder:
        """The ladder that the configuration sets for ``stream``, or else for all streams."""
        section = self.streams.get(stream)
        return self.transcoder.ladder if section is None or section.ladder is None else section.ladder

    def low_latency_of(self, stream: str) -> bool:
        """Whether the live playlists of ``stream`` carry parts."""
        section = self.streams.get(stream)
        return self.packager.low_latency if section is None or section.low_latency is None else section.low_latency

    def reconnect_window_of(self, stream: str) -> float:
        """The seconds in which a publisher of ``stream`` continues its broadcast."""
        section = self.streams.get(stream)
        if section is None or section.reconnect_window is None:
            return self.rtmp.reconnect_window
        return section.reconnect_window

    def slate_of(self, stream: str) -> SlateMode:
        """What viewers of ``stream`` see while its publisher is away."""
        section = self.streams.get(stream)
        return self.rtmp.slate if section is None or section.slate is None else section.slate

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
