"""The configuration as values: a section a class, every field with its default.

The classes are pure: they read no file and no environment (:mod:`control.config.load` does). Durations are
seconds, sizes bytes, bitrates bits per second, whatever unit they were written in.
"""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from control.config.address import Address
from control.config.ladder import ConfiguredLadder
from media.ladder import Ladder
from media.names import is_stream_name
from media.quantities import Bitrate, Duration, Size
from storage.location import FORMS, BadLocation, DirectoryLocation, StoreLocation, parse_location
from telemetry.logs import Format, Level
from transcoder.options import Encoder, LatencyMode, Preset, Profile

APP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f'"{value}" is not a URL; write it whole, as "https://video.example.org"')
    if parts.query or parts.fragment:
        raise ValueError(f'"{value}" has a query or fragment; only scheme, host and path go here')
    return value.rstrip("/")


def _origin(value: str) -> str:
    """An origin (RFC 6454) or ``*``."""
    parts = urlsplit(value)
    if value != "*" and (value != f"{parts.scheme}://{parts.netloc}" or parts.scheme not in ("http", "https")):
        raise ValueError(f'"{value}" is not an origin; write "*" or scheme and host, as "https://example.org"')
    return value


def _frame_ancestor(value: str) -> str:
    """A source of Content-Security-Policy's frame-ancestors; ``self`` and ``none`` also without their quotes."""
    word = value.strip("'")
    return f"'{word}'" if word in ("self", "none") else _origin(value)


def _proxy(value: str) -> str:
    """An address, a network, or ``*``."""
    try:
        return value if value == "*" else str(ip_network(value)).removesuffix("/32").removesuffix("/128")
    except ValueError:
        raise ValueError(f'"{value}" is no address and no network; write "10.0.0.5", "10.0.0.0/8" or "*"') from None


def _app(value: str) -> str:
    if not APP_NAME.fullmatch(value):
        raise ValueError(f'"{value}" cannot be an application name: letters, digits, - and _, at most 64')
    return value


def _host(value: str) -> str:
    if not value or "/" in value or " " in value:
        raise ValueError(f'"{value}" is not a host; write a name or address alone, as "video.example.org"')
    return value


def _stream_name(value: str) -> str:
    if not is_stream_name(value):
        raise ValueError(f'"{value}" is no stream name: lower-case letters, digits and inner hyphens, at most 63')
    return value


def _comma_separated(value: Any) -> Any:
    """The environment has no lists: ``a,b`` stands for one."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _auto(value: Any) -> Any:
    return None if value == "auto" else value


def _dvr(value: object) -> Any:
    return value if value == "all" else Duration(at_least=10).parse(value)


def _location(value: object) -> StoreLocation:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a store; a store is {FORMS}")
    try:
        return parse_location(value)
    except BadLocation as error:
        raise ValueError(str(error)) from None


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_comma_separated)]
FrameAncestors = Annotated[
    tuple[Annotated[str, AfterValidator(_frame_ancestor)], ...], BeforeValidator(_comma_separated)
]


Proxies = Annotated[tuple[Annotated[str, AfterValidator(_proxy)], ...], BeforeValidator(_comma_separated)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RtmpConfig(Section):
    listen: Address = Address("0.0.0.0", 1935)
    public_host: Annotated[str, AfterValidator(_host)] | None = None
    app: Annotated[str, AfterValidator(_app)] = "live"
    max_publishers: int = Field(default=1000, ge=1, le=100_000)
    idle_timeout: Annotated[float, Duration(at_least=1, at_most=300)] = 10.0
    reconnect_window: Annotated[float, Duration(at_least=0, at_most=3600)] = 30.0


class HttpConfig(Section):
    listen: Address = Address("0.0.0.0", 8080)
    public_url: HttpUrl | None = None
    cors_origins: Origins = ("*",)
    frame_ancestors: FrameAncestors = ("'self'",)
    trusted_proxies: Proxies = ("127.0.0.1", "::1")


class StoreConfig(Section):
    """``location`` None is the directory ``store`` in the data directory; ``fsync`` is for a directory alone;
    ``s3_path_style`` None is ``"auto"``."""

    location: Annotated[StoreLocation, PlainValidator(_location)] | None = None
    fsync: bool = False
    s3_endpoint: HttpUrl | None = None
    s3_region: str | None = None
    s3_path_style: Annotated[bool | None, BeforeValidator(_auto)] = None
    upload_buffer: Annotated[int, Size(at_least=2**20, at_most=2**40)] = 256 * 2**20

    @property
    def path_style(self) -> bool:
        """Whether the bucket goes into the path: few servers but AWS know it as part of their host name."""
        return self.s3_endpoint is not None if self.s3_path_style is None else self.s3_path_style


class PackagerConfig(Section):
    """``dvr`` is how far back viewers may go while live: the whole broadcast (``"all"``), or seconds."""

    segment_target: Annotated[float, Duration(at_least=0.5, at_most=20)] = 2.0
    part_target: Annotated[float, Duration(at_least=0.1, at_most=5)] = 0.333
    low_latency: bool = True
    playlist_window: Annotated[float, Duration(at_least=6, at_most=3600)] = 60.0
    dvr: Annotated[float | Literal["all"], PlainValidator(_dvr)] = "all"

    @model_validator(mode="after")
    def _agree(self) -> "PackagerConfig":
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
    """``bucket`` is how long what a viewer of a private stream was let into stays open: up to twice as long."""

    bucket: Annotated[float, Duration(at_least=60, at_most=7 * 86_400)] = 6 * 3600.0


class TranscoderConfig(Section):
    """``threads`` 0 lets the encoder choose; ``low_audio_bitrate`` None makes no second audio track."""

    ladder: ConfiguredLadder = "auto"
    encoder: Encoder = Encoder.LIBX264
    preset: Preset = Preset.VERYFAST
    profile: Profile = Profile.HIGH
    threads: int = Field(default=0, ge=0, le=64)
    latency: LatencyMode = LatencyMode.LOW
    low_audio_bitrate: Annotated[int, Bitrate(at_least=16_000, at_most=320_000)] | None = None
    max_keyframe_interval: Annotated[float, Duration(at_least=1, at_most=20)] = 6.0


class StreamConfig(Section):
    """What one stream has otherwise than ``[transcoder]`` and ``[packager]`` say; None takes that."""

    ladder: ConfiguredLadder | None = None
    low_latency: bool | None = None


class LogConfig(Section):
    format: Format = "text"
    level: Level = "info"


class Config(BaseSettings):
    """Everything an operator may set."""

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
    streams: dict[Annotated[str, AfterValidator(_stream_name)], StreamConfig] = {}
    log: LogConfig = LogConfig()

    @property
    def store_location(self) -> StoreLocation:
        return self.store.location or DirectoryLocation((self.data / "store").expanduser())

    def ladder_of(self, stream: str) -> Ladder:
        """The ladder that the file sets for ``stream``, else the one for all."""
        own = self.streams.get(stream)
        return self.transcoder.ladder if own is None or own.ladder is None else own.ladder

    def low_latency_of(self, stream: str) -> bool:
        """Whether the live playlists of ``stream`` carry parts."""
        own = self.streams.get(stream)
        return self.packager.low_latency if own is None or own.low_latency is None else own.low_latency

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
