"""A ladder as an operator requests it: a word, or the rungs from high to low.

Configuration files, stored records and the API share this model; :mod:`transcoder.ladder` plans the renditions of a
source from it.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

WORDS = ("auto", "source")
MAX_RUNGS = 8
MIN_HEIGHT, MAX_HEIGHT = 64, 4320
"""Heights are even: 4:2:0 video has one chroma sample for two luma samples."""
MIN_BITRATE, MAX_BITRATE = 50_000, 100_000_000


@dataclass(frozen=True, slots=True)
class Rung:
    """A requested rendition: the picture's short side in luma samples and its average bitrate in bits per second.

    The code that parses rungs checks the limits above.
    """

    height: int
    bitrate: int


Ladder = Literal["auto", "source"] | tuple[Rung, ...]


def require_descending(rungs: tuple[Rung, ...]) -> None:
    """Raises ValueError unless heights and bitrates decrease from rung to rung."""
    for upper, lower in pairwise(rungs):
        if lower.height >= upper.height:
            raise ValueError(
                f"rungs go from high to low, each height once: {lower.height} does not come after {upper.height}"
            )
        if lower.bitrate >= upper.bitrate:
            raise ValueError(
                f"the {lower.height} rung has {lower.bitrate // 1000}k, no less than the {upper.height} rung's "
                f"{upper.bitrate // 1000}k; a lower rung needs a lower bitrate"
            )
