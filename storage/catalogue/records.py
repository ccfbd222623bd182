"""The catalogue's records, as JSON: streams with their settings and key hashes, and past broadcasts.

Records ignore unknown fields, so that an older Headwater can read the records of a newer one. Settings, which
people write, reject them.
"""

from pydantic import BaseModel, ConfigDict, Field

from storage.catalogue.ladder import LadderField

MAX_KEYS = 8
MAX_TITLE = 200


class StreamSettings(BaseModel):
    """With ``ladder`` None, the server's configuration applies. ``private``: viewers need a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ladder: LadderField | None = None
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
    """The stream this key hash belongs to."""

    model_config = ConfigDict(frozen=True)

    stream: str


class PrivateRecord(BaseModel):
    """Marks a private stream that was deleted while its recordings were kept."""

    model_config = ConfigDict(frozen=True)

    stream: str


class BroadcastRecord(BaseModel):
    """``ended_at`` is None while live. ``duration_s`` is the length of the media; ``bytes`` is the sum of all
    tracks."""

    model_config = ConfigDict(frozen=True)

    stream: str
    broadcast: str
    started_at: float
    ended_at: float | None = None
    duration_s: float = 0.0
    bytes: int = 0
    tracks: tuple[str, ...] = ()
    end_reason: str | None = None
