"""The live state of a broadcast as the API shows it."""

from live.status import AudioStatus, PublisherStatus, RenditionStatus, SourceStatus, StreamState, StreamStatus
from media.configs import VideoConfig
from worker.broadcast import Broadcast
from worker.ledger import BroadcastLedger, TrackLedger


def describe(
    broadcast: Broadcast,
    ledger: BroadcastLedger,
    state: StreamState,
    publisher: PublisherStatus | None,
    standby: PublisherStatus | None,
    *,
    uptime_s: float,
    now: float,
) -> StreamStatus:
    """The status of a broadcast. ``now`` is monotonic seconds, from the same clock as the broadcast's warnings."""
    return StreamStatus(
        stream=ledger.stream,
        state=state,
        broadcast=ledger.broadcast,
        uptime_s=round(uptime_s, 1),
        source=source_status(broadcast),
        renditions=tuple(rendition_status(broadcast, track) for track in ledger.tracks.values() if track.config),
        publisher=publisher,
        standby=standby,
        warnings=broadcast.advice.warnings.status(now),
    )


def source_status(broadcast: Broadcast) -> SourceStatus | None:
    video, audio, meter = broadcast.video, broadcast.audio, broadcast.meter
    if video is None and audio is None:
        return None
    interval = meter.keyframe_interval_s
    return SourceStatus(
        codec=str(video.codec) if video else None,
        width=video.width if video else None,
        height=video.height if video else None,
        fps=meter.fps if video else None,
        bitrate_bps=meter.bitrate_bps,
        keyframe_interval_s=round(interval, 3) if interval is not None else None,
        audio=AudioStatus(
            codec=str(audio.codec),
            sample_rate=audio.sample_rate,
            channels=audio.channels,
            bitrate_bps=meter.audio_bitrate_bps,
        )
        if audio
        else None,
    )


def rendition_status(broadcast: Broadcast, track: TrackLedger) -> RenditionStatus:
    config = track.config
    assert config is not None
    video = config if isinstance(config, VideoConfig) else None
    return RenditionStatus(
        track=track.track,
        kind=track.kind.value,
        codec=config.codec_string,
        width=video.width if video else None,
        height=video.height if video else None,
        fps=round(float(track.frame_rate), 3) if track.frame_rate else None,
        sample_rate=None if isinstance(config, VideoConfig) else config.sample_rate,
        bitrate_bps=track.average_bps(),
        encoded=broadcast.plan.encodes(track.track),
    )
