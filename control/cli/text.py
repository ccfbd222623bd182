"""Values as text for people. Control characters from peers are replaced before they reach a terminal."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

JsonObject = Mapping[str, Any]


def clean(text: object) -> str:
    return "".join(character if character.isprintable() else "�" for character in str(text))


def duration(seconds: float | None) -> str:
    """``1:01`` for 61.5, ``2:00:00`` for two hours."""
    if seconds is None:
        return "-"
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def bitrate(bps: float | None) -> str:
    if bps is None:
        return "-"
    return f"{bps / 1e3:.0f} kbit/s"


def size(count: float | None) -> str:
    if count is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def moment(epoch: float | None) -> str:
    return "-" if epoch is None else f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S} UTC"


def source(status: JsonObject | None) -> str:
    """``h264 1280x720 30 fps 2500 kbit/s, keyframe every 2.0 s``, without the unknown parts."""
    if status is None:
        return "-"
    parts = []
    if status["codec"]:
        parts.append(clean(status["codec"]))
    if status["width"] and status["height"]:
        parts.append(f"{status['width']}x{status['height']}")
    if status["fps"]:
        parts.append(f"{round(status['fps'], 1):g} fps")
    if not status["codec"] and status["audio"]:
        parts.append(f"{clean(status['audio']['codec'])} only")
    parts.append(bitrate(status["bitrate_bps"]))
    text = " ".join(parts)
    interval = status["keyframe_interval_s"]
    return f"{text}, keyframe every {interval:.1f} s" if interval else text


def audio(status: JsonObject | None) -> str:
    if status is None:
        return "none"
    channels = {1: "mono", 2: "stereo"}.get(status["channels"], f"{status['channels']} channels")
    rate = f"{status['sample_rate'] / 1000:g} kHz"
    return f"{clean(status['codec'])} {rate} {channels} {bitrate(status['bitrate_bps'])}"


def publisher(status: JsonObject | None) -> str:
    if status is None:
        return "-"
    software = f" {clean(status['software'])}" if status["software"] else ""
    return f"{clean(status['address'])}{software}"


def publishers(stream: JsonObject) -> str:
    """The publisher on air, with its role if it is the backup or another one is on standby."""
    on_air, standby = stream["publisher"], stream["standby"]
    shown = publisher(on_air)
    if on_air is not None and (standby is not None or on_air["role"] == "backup"):
        shown = f"{on_air['role']} {shown}"
    return shown if standby is None else f"{shown} ({standby['role']} on standby)"
