"""Access units and configurations of real encoders, in FLV tag bodies, and a recording publication."""

from collections.abc import Mapping

from ingest.interface import EndReason
from ingest.track_start import TimingProblem
from media.configs import AudioConfig, VideoConfig
from media.log_context import NO_CONTEXT
from media.units import AccessUnit

# x264's AVCDecoderConfigurationRecords of a 320x180 and a 640x360 source at 30 frames a second.
AVC_RECORD = bytes.fromhex(
    "0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000668ebe3cb22c0fdf8f800"
)
OTHER_AVC_RECORD = bytes.fromhex(
    "0164001effe1001a6764001eacd940a02ff970110000030001000003003c0f162d9601000668ebe3cb22c0fdf8f800"
)
# AAC-LC, stereo, at 48 000 and 44 100 Hz.
AAC_RECORD = bytes.fromhex("1190")
OTHER_AAC_RECORD = bytes.fromhex("1210")
MP3_FRAME = bytes.fromhex("fffb9064") + bytes(413)

IDR = bytes.fromhex("6588840000")
NON_IDR = bytes.fromhex("419a2100")
SEI_RECOVERY_POINT = bytes.fromhex("060601c480")
SEI_LATE_RECOVERY = bytes.fromhex("0606012080")


def nal_units(*units: bytes, length_size: int = 4) -> bytes:
    return b"".join(len(unit).to_bytes(length_size, "big") + unit for unit in units)


def avc(data: bytes, *, key: bool = False, packet: int = 1, composition_ms: int = 0) -> bytes:
    """The body of a video tag."""
    first = (0x10 if key else 0x20) | 7
    return bytes((first, packet)) + (composition_ms & 0xFFFFFF).to_bytes(3, "big") + data


def key_frame(*units: bytes, composition_ms: int = 0) -> bytes:
    return avc(nal_units(*(units or (IDR,))), key=True, composition_ms=composition_ms)


def inter_frame(composition_ms: int = 0) -> bytes:
    return avc(nal_units(NON_IDR), composition_ms=composition_ms)


def avc_header(record: bytes = AVC_RECORD) -> bytes:
    return avc(record, key=True, packet=0)


def aac(data: bytes, *, packet: int = 1) -> bytes:
    """The body of an audio tag."""
    return bytes((0xAF, packet)) + data


def aac_header(record: bytes = AAC_RECORD) -> bytes:
    return aac(record, packet=0)


AAC_FRAME = aac(bytes.fromhex("211004608c1c"))


class Recorder:
    """A publication that records all calls."""

    log_context = NO_CONTEXT

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        self.calls.append(("metadata", dict(metadata)))

    def on_video_config(self, config: VideoConfig) -> None:
        self.calls.append(("video-config", (config.width, config.height)))

    def on_audio_config(self, config: AudioConfig) -> None:
        self.calls.append(("audio-config", (str(config.codec), config.sample_rate)))

    def on_unit(self, unit: AccessUnit) -> None:
        self.calls.append(("unit", unit))

    def on_discontinuity(self) -> None:
        self.calls.append(("discontinuity", None))

    def on_timing(self, problem: TimingProblem) -> None:
        self.calls.append(("timing", problem.code))

    def on_dropped(self, reason: str) -> None:
        self.calls.append(("dropped", reason))

    def on_repaired(self, reason: str) -> None:
        self.calls.append(("repaired", reason))

    def on_end(self, reason: EndReason, text: str) -> None:
        self.calls.append(("end", reason))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    @property
    def units(self) -> list[AccessUnit]:
        return [value for _, value in self.calls if isinstance(value, AccessUnit)]

    def all(self, name: str) -> list[object]:
        """The values of all calls of ``name``."""
        return [value for called, value in self.calls if called == name]
