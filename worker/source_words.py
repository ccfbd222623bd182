"""A source in words."""

from media.configs import AudioConfig, VideoConfig

LAYOUTS = {1: "mono", 2: "stereo"}


def describe_source(video: VideoConfig | None, audio: AudioConfig | None) -> str:
    """``h264 1280x720 with aac 48 kHz stereo``."""
    picture = f"{video.codec} {video.width}x{video.height}" if video is not None else "no picture"
    if audio is None:
        return f"{picture} without sound"
    layout = LAYOUTS.get(audio.channels, f"{audio.channels} channels")
    return f"{picture} with {audio.codec} {audio.sample_rate / 1000:g} kHz {layout}"
