"""What the catalogue keeps, as JSON: streams with their settings and key hashes, and past broadcasts.

Records ignore fields they do not know, so that an older Headwater reads what a newer one wrote; settings, which
people write, do not.
"""

import re
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

MAX_RUNGS = 8
MAX_KEYS = 8
MAX_TITLE = 200

_BITRATE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([kM]?)")
_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000}


def _bitrate(value: Any) -> Any:
    """``2500000``, ``"2500k"`` or ``"2.5M"`` in bits per second."""
    if not isinstance(value, str):
        return value
    match = _BITRATE.fullmatch(value.strip())
    if match is None:
        raise ValueError(f'{value!r} is no bitrate: write bits per second, or "2500k", or "2.5M"')
    return round(float(match[1]) * _FACTORS[match[2]])


class Rung(BaseModel):
    """One encoded rendition; its width follows from the source's shape."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: int = Field(ge=64, le=4320, multiple_of=2, examples=[720])
    bitrate: Annotated[int, BeforeValidator(_bitrate)] = Field(ge=50_000, le=100_000_000, examples=[2_500_000])


def _descending(rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
    for upper, lower in pairwise(rungs):
        if lower.height >= upper.height:
            raise ValueError(
                f"rungs go from high to low, each height once: {lower.height} cannot come after {upper.height}"
            )
        if lower.bitrate >= upper.bitrate:
            raise ValueError(f"the {lower.height} rung needs a lower bitrate than the {upper.height} rung")
    return rungs


def _form(value: Any) -> str:
    return "a-word" if isinstance(value, str) else "rungs"


Rungs = Annotated[tuple[Rung, ...], Field(min_length=1, max_length=MAX_RUNGS), AfterValidator(_descending)]
Ladder = Annotated[
    Annotated[Literal["auto", "source"], Tag("a-word")] | Annotated[Rungs, Tag("rungs")], Discriminator(_form)
]


class StreamSettings(BaseModel):
    """``ladder`` None leaves it to the server's configuration. ``private``: viewers need a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ladder: Ladder | None = None
    title: str = Field(default="", max_length=MAX_TITLE)
    private: bool = False


class StreamRecord(BaseModel):
    """Times are seconds since the Unix epoch. ``key_hashes`` are SHA-256 in hex; the newest key is last."""

    model_config = ConfigDict(frozen=True)

    stream: str
    settings: StreamSettings = StreamSettings()
    key_hashes: tuple[str, ...] = Field(max_length=MAX_KEYS)
    created_at: float
    banned_until: float | None = None


class KeyRecord(BaseModel):
    """Which stream a key hash is of."""

    model_config = ConfigDict(frozen=True)

    stream: str


class PrivateRecord(BaseModel):
    """A private stream was deleted and its recordings are still there."""

    model_config = ConfigDict(frozen=True)

    stream: str


class BroadcastRecord(BaseModel):
    """``ended_at`` None while it is live. ``duration_s`` is of the media; ``bytes`` is all tracks together."""

    model_config = ConfigDict(frozen=True)

    stream: str
    broadcast: str
    started_at: float
    ended_at: float | None = None
    duration_s: float = 0.0
    bytes: int = 0
    tracks: tuple[str, ...] = ()
    end_reason: str | None = None
