"""Translates the operator's configuration to the options of each part."""

from control.config import Config
from control.config.urls import clock_url
from ingest.options import IngestOptions
from media.units import VIDEO_TIMESCALE
from packager.cmaf.cutter import CutterOptions
from storage.catalogue.records import StreamRecord
from storage.s3_client import S3Options
from transcoder.options import TranscodeOptions
from worker.broadcast_options import BroadcastOptions
from worker.recorder import RecorderOptions


def ticks(seconds: float) -> int:
    return round(seconds * VIDEO_TIMESCALE)


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def s3_options(config: Config) -> S3Options:
    store = config.store
    return S3Options(endpoint=store.s3_endpoint, region=store.s3_region, path_style=store.s3_path_style)


def ingest_options(config: Config) -> IngestOptions:
    rtmp = config.rtmp
    return IngestOptions(app=rtmp.app, idle_timeout=rtmp.idle_timeout, max_connections=rtmp.max_publishers)


def recorder_options(config: Config) -> RecorderOptions:
    packager = config.packager
    return RecorderOptions(
        segment_target_ms=milliseconds(packager.segment_target),
        playlist_window_ms=milliseconds(packager.playlist_window),
        dvr_ms=None if packager.dvr == "all" else milliseconds(packager.dvr),
        utc_timing_url=clock_url(config),
        upload_bytes=config.store.upload_buffer,
    )


def transcode_options(config: Config) -> TranscodeOptions:
    transcoder = config.transcoder
    return TranscodeOptions(
        encoder=transcoder.encoder,
        preset=transcoder.preset,
        profile=transcoder.profile,
        threads=transcoder.threads,
        latency=transcoder.latency,
        low_audio_bps=transcoder.low_audio_bitrate,
    )


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
    )
