"""Translates the operator's configuration to the options of each part."""

from control.config import Config
from control.config.urls import clock_url
from control.descriptors import Connections
from control.http_limits import HttpLimits
from control.version import version
from ingest.options import IngestOptions
from media.units import VIDEO_TIMESCALE
from packager.cmaf.cutter import CutterOptions
from storage.catalogue.records import Retention, StreamRecord
from storage.keeping.keeper import Policy
from storage.keeping.retention import PlayableFor
from telemetry.tracing_options import TracingOptions
from transcoder.image import Image, read_image
from transcoder.limits import WorkerLimits
from transcoder.options import Encoder, TranscodeOptions
from worker.broadcast_options import BroadcastOptions, SourceLimits
from worker.publisher_options import PublisherOptions
from worker.recorder import RecorderOptions

# Address space of the process that decodes one keyframe at a time. It uses less than a quarter of it.
THUMBNAIL_MEMORY = 2**30


def ticks(seconds: float) -> int:
    return round(seconds * VIDEO_TIMESCALE)


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def tracing_options(config: Config) -> TracingOptions | None:
    """None without traces."""
    tracing = config.tracing
    if tracing.endpoint is None:
        return None
    return TracingOptions(
        endpoint=tracing.endpoint,
        sample=tracing.sample,
        service_name=tracing.service_name,
        version=version(),
        headers={name: value.get_secret_value() for name, value in tracing.headers.items()},
    )


def wanted_connections(config: Config) -> Connections:
    rtmp = config.rtmp
    return Connections(http=config.http.max_connections, publishers=rtmp.max_publishers, pending=rtmp.max_pending)


def ingest_options(config: Config, allowed: Connections) -> IngestOptions:
    rtmp = config.rtmp
    return IngestOptions(
        app=rtmp.app,
        idle_timeout=rtmp.idle_timeout,
        max_publishers=allowed.publishers,
        max_pending=allowed.pending,
        max_pending_per_address=rtmp.max_pending_per_address,
        trusted_proxies=rtmp.trusted_proxies,
        max_bitrate=rtmp.max_bitrate,
        max_pixels=rtmp.max_picture,
    )


def http_limits(config: Config, allowed: Connections) -> HttpLimits:
    http = config.http
    return HttpLimits(
        request_timeout=http.request_timeout,
        send_timeout=http.send_timeout,
        idle_timeout=http.idle_timeout,
        connections=allowed.http,
        # One address never holds more than a quarter of the connections.
        per_address=min(http.max_connections_per_address, max(1, allowed.http // 4)),
    )


def recorder_options(config: Config) -> RecorderOptions:
    packager = config.packager
    return RecorderOptions(
        segment_target_ms=milliseconds(packager.segment_target),
        playlist_window_ms=milliseconds(packager.playlist_window),
        dvr_ms=None if packager.dvr == "all" else milliseconds(packager.dvr),
        texts_every_s=config.playlist_every_s,
        utc_timing_url=clock_url(config),
    )


def keeping_policy(config: Config) -> Policy:
    packager, limits = config.packager, config.retention
    return Policy(
        retention=Retention(max_age_s=limits.max_age, max_size=limits.max_size, max_count=limits.max_count),
        playable=PlayableFor(packager.playlist_window, None if packager.dvr == "all" else packager.dvr),
        every_s=limits.sweep_every,
    )


def thumbnail_limits(config: Config) -> WorkerLimits:
    return WorkerLimits(THUMBNAIL_MEMORY, config.rtmp.max_picture)


def transcode_limits(config: Config) -> WorkerLimits:
    """Encoders on GPUs have no limit of memory: their drivers reserve far more address space than they use."""
    on_gpu = config.transcoder.encoder is not Encoder.LIBX264
    return WorkerLimits(None if on_gpu else config.transcoder.max_memory, config.rtmp.max_picture)


def transcode_options(config: Config) -> TranscodeOptions:
    transcoder = config.transcoder
    return TranscodeOptions(
        encoder=transcoder.encoder,
        preset=transcoder.preset,
        profile=transcoder.profile,
        threads=transcoder.threads,
        latency=transcoder.latency,
        low_audio_bps=transcoder.low_audio_bitrate,
        limits=transcode_limits(config),
    )


def max_pixel_rate(config: Config) -> int | None:
    """Luma samples per second."""
    megapixels = config.transcoder.max_pixel_rate
    return None if megapixels is None else round(megapixels * 1_000_000)


def broadcast_options(config: Config, record: StreamRecord) -> BroadcastOptions:
    """The options of one stream. The ladder in its record takes precedence over the configuration."""
    ladder = record.settings.ladder or config.ladder_of(record.stream)
    return BroadcastOptions(
        cutter=CutterOptions(
            target=ticks(config.packager.segment_target),
            max_keyframe_interval=ticks(config.transcoder.max_keyframe_interval),
            free_cuts=ladder != "source",
        ),
        part_target=ticks(config.packager.part_target),
        low_latency=config.low_latency_of(record.stream),
        ladder=ladder,
        transcode=transcode_options(config),
        limits=SourceLimits.for_bitrate(config.rtmp.max_bitrate),
    )


def slate_image(config: Config) -> Image | None:
    """The operator's image, read and checked. Blocks. Raises ImageUnusable."""
    path = config.rtmp.slate_image
    return None if path is None else read_image(path.expanduser(), transcode_limits(config))


def publisher_options(config: Config, record: StreamRecord, image: Image | None) -> PublisherOptions:
    """The options of one stream. The settings in its record take precedence over the configuration."""
    own, stream = record.settings, record.stream
    window = config.reconnect_window_of(stream) if own.reconnect_window_s is None else own.reconnect_window_s
    return PublisherOptions(
        reconnect_window=window,
        switch_after=config.rtmp.switch_after,
        slate=own.slate or config.slate_of(stream),
        slate_after=config.rtmp.slate_after,
        slate_image=image,
    )
