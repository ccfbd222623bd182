"""The options of the encoders, and a test whether this machine can use them."""

import subprocess
from dataclasses import dataclass, field
from enum import StrEnum

from media.units import Codec
from transcoder.errors import EncoderUnavailable
from transcoder.limits import WorkerLimits
from transcoder.spawn import worker_command, worker_environment

CHECK_SECONDS = 30


class Encoder(StrEnum):
    """Video encoders, by FFmpeg's names."""

    LIBX264 = "libx264"
    NVENC = "h264_nvenc"
    QSV = "h264_qsv"
    VAAPI = "h264_vaapi"


# The codec of each video encoder's output, and the only audio encoder.
VIDEO_OUTPUTS: dict[Encoder, Codec] = dict.fromkeys(Encoder, Codec.H264)
AUDIO_ENCODER = "aac"
AUDIO_OUTPUT = Codec.AAC


class LatencyMode(StrEnum):
    """``LOW``: neither B-frames nor look-ahead, so no frame is delayed. ``NORMAL``: better pictures with more
    delay."""

    LOW = "low"
    NORMAL = "normal"


class Profile(StrEnum):
    """H.264 profiles (Annex A) that every player supports."""

    BASELINE = "baseline"
    MAIN = "main"
    HIGH = "high"


class Preset(StrEnum):
    """x264's speed settings; the hardware encoders get their nearest equivalent."""

    ULTRAFAST = "ultrafast"
    SUPERFAST = "superfast"
    VERYFAST = "veryfast"
    FASTER = "faster"
    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"
    SLOWER = "slower"
    VERYSLOW = "veryslow"


@dataclass(frozen=True, slots=True)
class TranscodeOptions:
    """``threads`` is per rendition; 0 depends on the number of processors. ``low_audio_bps`` adds a second audio
    track with this bitrate. ``device`` is that of a hardware encoder (``/dev/dri/renderD128``, ``0``). ``limits``
    are those of the child."""

    encoder: Encoder = Encoder.LIBX264
    preset: Preset = Preset.VERYFAST
    profile: Profile = Profile.HIGH
    threads: int = 0
    latency: LatencyMode = LatencyMode.LOW
    low_audio_bps: int | None = None
    device: str | None = None
    limits: WorkerLimits = field(default_factory=WorkerLimits)


HINTS = {
    Encoder.LIBX264: "reinstall the av package",
    Encoder.NVENC: "it needs an NVIDIA GPU and its driver (libnvidia-encode)",
    Encoder.QSV: "it needs an Intel GPU and the oneVPL runtime",
    Encoder.VAAPI: "it needs a PyAV built with it, a GPU with a VA-API driver and access to its /dev/dri/renderD*",
}


def check_encoder(options: TranscodeOptions) -> None:
    """Encode a few frames in a child process, as a broadcast would. Blocks for up to half a minute.

    Raises EncoderUnavailable, whose text names what is missing.
    """
    arguments = [options.encoder, options.preset, options.profile, options.latency, options.device or ""]
    try:
        result = subprocess.run(
            [*worker_command("transcoder.worker.check", options.limits), *arguments],
            env=worker_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CHECK_SECONDS,
            check=False,
        )
        reason = result.stdout.strip() or result.stderr.strip()[-200:]
        if result.returncode == 0:
            return
    except subprocess.TimeoutExpired:
        reason = f"it did not finish within {CHECK_SECONDS} s"
    except OSError as error:
        reason = str(error)
    hint = HINTS[options.encoder]
    instead = "" if options.encoder is Encoder.LIBX264 else f'; or set the encoder to "{Encoder.LIBX264}"'
    raise EncoderUnavailable(f"the encoder {options.encoder} does not work here ({reason}): {hint}{instead}")
