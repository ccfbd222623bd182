"""An operator's image as a keyframe, made in a child process: only that process decodes."""

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from media.configs import VideoConfig
from media.units import AccessUnit
from transcoder.errors import ImageUnusable, ProtocolViolation
from transcoder.limits import WorkerLimits
from transcoder.messages import Encoded, Failed, TrackReady
from transcoder.protocol import MessageReader
from transcoder.spawn import worker_command, worker_environment

TRACK = "image"
# A 4K PNG without compression has 25 MiB.
MAX_BYTES = 32 * 2**20
LONGEST_S = 10.0
CHECKED_SIZE = 1280, 720


@dataclass(frozen=True, slots=True)
class Image:
    """A PNG or JPEG file that was read."""

    path: Path
    data: bytes


def read_image(path: Path, limits: WorkerLimits) -> Image:
    """Read a file, and decode it once. Blocks. Raises ImageUnusable, whose text names the file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageUnusable(f"the slate's image {path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ImageUnusable(f"the slate's image {path} is larger than {MAX_BYTES >> 20} MiB")
    image = Image(path, data)
    image_keyframe(image, *CHECKED_SIZE, Fraction(1), limits)
    return image


def image_keyframe(
    image: Image, width: int, height: int, aspect: Fraction, limits: WorkerLimits
) -> tuple[VideoConfig, AccessUnit]:
    """The image with black bars, as a keyframe of ``width`` x ``height`` samples with the ratio ``aspect``. Blocks.
    Raises ImageUnusable, whose text names the file."""
    command = [*worker_command("transcoder.worker.image", limits), str(width), str(height), str(aspect)]
    reader = MessageReader()
    config: VideoConfig | None = None
    reason = "its process ended without an answer"
    try:
        result = subprocess.run(
            command,
            env=worker_environment(),
            input=image.data,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
        reader.receive_data(result.stdout)
        for message in reader.messages():
            match message:
                case TrackReady(_, VideoConfig() as ready):
                    config = ready
                case Encoded(_, unit) if config is not None:
                    return config, unit
                case Failed(_, text):
                    reason = text
    except subprocess.TimeoutExpired:
        reason = f"it was not decoded within {LONGEST_S:g} s"
    except (OSError, ProtocolViolation) as error:
        reason = str(error)
    raise ImageUnusable(f"the slate's image {image.path} cannot be used: {reason}")
