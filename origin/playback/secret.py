"""The playback secret: one for all origins of a store, created by the first origin that needs it.

It is stored at ``catalogue/secrets/playback.json``, which no viewer can fetch. Deleting it and restarting every
origin revokes all tokens.
"""

import secrets
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from origin.playback.keys import SECRET_BYTES, PlaybackKeys, derive_keys
from storage.documents import Documents
from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed

SECRET_KEY = "catalogue/secrets/playback.json"


class SecretRecord(BaseModel):
    """``secret`` is in hex; ``created_at`` is seconds since the Unix epoch."""

    model_config = ConfigDict(frozen=True)

    secret: str = Field(pattern=f"^[0-9a-f]{{{2 * SECRET_BYTES}}}$", repr=False)
    created_at: float


class PlaybackSecret:
    """Read or created when first needed, then kept in memory. ``clock`` returns Unix seconds."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float]) -> None:
        self._documents = Documents(store)
        self._clock = clock
        self._keys: PlaybackKeys | None = None

    async def keys(self) -> PlaybackKeys:
        """Raises StorageError."""
        if self._keys is None:
            record = await self._load() or await self._create()
            self._keys = derive_keys(bytes.fromhex(record.secret))
        return self._keys

    async def _load(self) -> SecretRecord | None:
        try:
            return (await self._documents.read(SECRET_KEY, SecretRecord))[0]
        except ObjectNotFound:
            return None

    async def _create(self) -> SecretRecord:
        record = SecretRecord(secret=secrets.token_hex(SECRET_BYTES), created_at=self._clock())
        try:
            await self._documents.create(SECRET_KEY, record)
        except PreconditionFailed:
            # Another origin was faster, or the answer to this put was lost: the stored secret is valid.
            return (await self._documents.read(SECRET_KEY, SecretRecord))[0]
        return record
