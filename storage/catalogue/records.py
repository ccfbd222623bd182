"""The catalogue's records, as JSON: streams with their settings and key hashes, and past broadcasts.

Records ignore unknown fields, so that an older Headwater can read the records of a newer one. Settings, which
people write, reject them.
"""

from pydantic import BaseModel, ConfigDict, Field

from media.roles import Role
from media.slate import SlateMode
from storage.catalogue.ladder import LadderField
from storage.catalogue.named_keys import NamedKey

MAX_KEYS = 8
MAX_NAMED_KEYS = 50
"""Of one stream, beside the primary's and the backup's."""
MAX_REASON = 200
# The end of a ban that only the operator lifts: that of the year 9999.
FOREVER = 253_402_300_799.0
# Of a stream's recordings: ten thousand days, a pebibyte, and a number that nobody reaches.
LONGEST_AGE_S = 10_000 * 86_400.0
LARGEST_SIZE = 2**50
LARGEST_COUNT = 1_000_000
MAX_TITLE = 200
LONGEST_RECONNECT_S = 3600.0


class Retention(BaseModel):
    """The recordings of a stream that stay: those that ended within ``max_age_s`` seconds, and of these the newest
    that are together at most ``max_size`` bytes and at most ``max_count``. None is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_age_s: float | None = Field(default=None, gt=0, le=LONGEST_AGE_S)
    max_size: int | None = Field(default=None, ge=0, le=LARGEST_SIZE)
    max_count: int | None = Field(default=None, ge=0, le=LARGEST_COUNT)


class StreamSettings(BaseModel):
    """With ``ladder``, ``reconnect_window_s``, ``slate`` or ``retention`` None, the server's configuration applies.
    ``private``: viewers need a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ladder: LadderField | None = None
    title: str = Field(default="", max_length=MAX_TITLE)
    private: bool = False
    reconnect_window_s: float | None = Field(default=None, ge=0, le=LONGEST_RECONNECT_S)
    slate: SlateMode | None = None
    retention: Retention | None = None


class StreamRecord(BaseModel):
    """Times are seconds since the Unix epoch. ``key_hashes`` are SHA-256 in hex; the newest key is last, and was
    created at ``key_created_at``. The optional backup key is that of a second encoder, which publishes at the same
    time. ``named_keys`` are all others. ``last_live_at`` is when the newest broadcast ended or, until it does,
    started. Publishers are refused until ``banned_until``, for ``ban_reason``.
    """

    model_config = ConfigDict(frozen=True)

    stream: str
    settings: StreamSettings = StreamSettings()
    key_hashes: tuple[str, ...] = Field(max_length=MAX_KEYS)
    created_at: float
    key_created_at: float | None = None
    backup_key_hash: str | None = None
    backup_key_created_at: float | None = None
    named_keys: tuple[NamedKey, ...] = Field(default=(), max_length=MAX_NAMED_KEYS)
    last_live_at: float | None = None
    banned_until: float | None = None
    ban_reason: str = ""

    @property
    def keys(self) -> tuple[NamedKey, ...]:
        """Every key: the primary's, the backup's, then the others by name."""
        keys = [
            NamedKey(name=Role.PRIMARY, key_hash=hashed, created_at=self.key_created_at)
            for hashed in self.key_hashes
        ]
        if self.backup_key_hash is not None:
            backup, created_at = self.backup_key_hash, self.backup_key_created_at
            keys.append(NamedKey(name=Role.BACKUP, key_hash=backup, created_at=created_at, role=Role.BACKUP))
        return (*keys, *sorted(self.named_keys, key=lambda key: key.name))

    def with_key(self, name: str, key: NamedKey | None) -> "StreamRecord":
        """The record with ``key`` as the only one of this name, or without one."""
        match name:
            case Role.PRIMARY:
                hashes = () if key is None else (key.key_hash,)
                return self.model_copy(
                    update={"key_hashes": hashes, "key_created_at": None if key is None else key.created_at}
                )
            case Role.BACKUP:
                hashed, created_at = (None, None) if key is None else (key.key_hash, key.created_at)
                return self.model_copy(update={"backup_key_hash": hashed, "backup_key_created_at": created_at})
        others = tuple(other for other in self.named_keys if other.name != name)
        return self.model_copy(update={"named_keys": others if key is None else (*others, key)})

    def is_banned(self, now: float) -> bool:
        return self.banned_until is not None and now < self.banned_until


class KeyRecord(BaseModel):
    """The stream this key hash belongs to, and the last use of the key, which may be a minute behind."""

    model_config = ConfigDict(frozen=True)

    stream: str
    last_used_at: float | None = None
    last_used_from: str | None = None


class PrivateRecord(BaseModel):
    """Marks a private stream that was deleted while its recordings were kept."""

    model_config = ConfigDict(frozen=True)

    stream: str


class PurgeRecord(BaseModel):
    """Everything of the stream is to be deleted. The record goes last, so that an interrupted purge goes on."""

    model_config = ConfigDict(frozen=True)

    stream: str
    at: float


class BroadcastRecord(BaseModel):
    """``ended_at`` is None while live. ``duration_s`` is the length of the media; ``bytes`` is the sum of all
    tracks, without segments that have left a DVR window. ``missing_s`` are the seconds that tracks lack at the end,
    because they were not encoded in time.

    ``kept``: no retention deletes it. From ``deleted_at`` on, the broadcast counts as deleted, and its objects are
    being removed; ``deleted_for`` is the cause.
    """

    model_config = ConfigDict(frozen=True)

    stream: str
    broadcast: str
    started_at: float
    ended_at: float | None = None
    duration_s: float = 0.0
    bytes: int = 0
    tracks: tuple[str, ...] = ()
    end_reason: str | None = None
    missing_s: dict[str, float] = {}
    kept: bool = False
    deleted_at: float | None = None
    deleted_for: str | None = None
