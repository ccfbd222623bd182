"""The status of a stream, as its owner returns it."""

from live.status import (
    AudioStatus,
    PublisherStatus,
    RenditionStatus,
    SourceStatus,
    StreamState,
    StreamStatus,
    WarningStatus,
)

BROADCAST = "20261121t104105z-ab12cd"


def status(stream: str, state: StreamState = StreamState.LIVE, broadcast: str = BROADCAST) -> StreamStatus:
    return StreamStatus(
        stream=stream,
        state=state,
        broadcast=broadcast,
        uptime_s=61.5,
        source=SourceStatus(
            codec="h264",
            width=1280,
            height=720,
            fps=29.97,
            bitrate_bps=2_500_000,
            keyframe_interval_s=8.3,
            audio=AudioStatus(codec="aac", sample_rate=48_000, channels=2, bitrate_bps=160_000),
        ),
        renditions=(
            RenditionStatus(
                track="vsource",
                kind="video",
                codec="avc1.64001f",
                width=1280,
                height=720,
                fps=29.97,
                bitrate_bps=2_300_000,
                encoded=False,
            ),
            RenditionStatus(track="asource", kind="audio", codec="mp4a.40.2", bitrate_bps=160_000, encoded=False),
        ),
        publisher=PublisherStatus(address="203.0.113.7:50114", software="obs-output module", connected_s=61.5),
        warnings=(
            WarningStatus(
                code="keyframe-interval",
                text="keyframe every 8.3 s: set Keyframe Interval to 2 s in OBS, Settings, Output",
                since_s=30.0,
            ),
        ),
    )
