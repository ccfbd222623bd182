"""What the catalogue keeps, as JSON: streams with their settings and key hashes, and past broadcasts.

Records ignore fields they do not know, so that an older Headwater reads what a newer one wrote; settings, which
people write, do not.
"""

from pydantic import BaseModel, ConfigDict, Field

from storage.catalogue.ladder import LadderField

MAX_KEYS = 8
MAX_TITLE = 200


class StreamSettings(BaseModel):
    """``ladder`` None leaves it to the server's configuration. ``private``: viewers need a token."""

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
