"""Warns of a picture that many players cannot show, or show badly."""

from media.configs import VideoConfig
from worker.warnings import Warnings

CHROMA = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")


class PictureAdvice:
    """Reports to ``warnings``. ``now`` is monotonic seconds."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings

    def review(self, video: VideoConfig | None, now: float, *, passed: bool) -> None:
        """``passed``: viewers get the source's own picture."""
        self._set("picture-format", None if video is None else format_text(video, passed=passed), now)
        interlaced = video is not None and video.interlaced and passed
        self._set("interlaced", INTERLACED if interlaced else None, now)

    def _set(self, code: str, text: str | None, now: float) -> None:
        if text is None:
            self._warnings.clear(code)
        else:
            self._warnings.report(code, text, now)


INTERLACED = (
    "the picture is interlaced and passed through, so many players show combs, and some phones nothing: set the "
    "encoder to progressive; in OBS: right-click the source, Deinterlacing. Lower renditions are deinterlaced"
)


def format_text(video: VideoConfig, *, passed: bool) -> str | None:
    if video.plays_everywhere:
        return None
    name = f"{CHROMA[video.chroma_format_idc]} with {video.bit_depth} bits"
    effect = (
        "is passed through, and most browsers and phones cannot show it"
        if passed
        else "cannot be shown by most browsers and phones, so the top rendition is encoded as 4:2:0 with 8 bits"
    )
    return (
        f"the picture is {name}: it {effect}; set the encoder to 4:2:0 with 8 bits; in OBS: Settings, Advanced, "
        "Color Format NV12"
    )
