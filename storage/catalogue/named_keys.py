"""A stream key as it is stored, and its limits.

Every stream has the names ``primary`` and ``backup``. Keys with other names may have an expiry and networks.
"""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from media.addresses import is_in_network
from media.roles import Role

MAX_NETWORKS = 32
# Seconds before its expiry from which on a key is reported.
EXPIRES_SOON_S = 7 * 86_400.0

ROLES = frozenset(Role)
"""The names of the keys that decide a publisher's role by themselves."""


class NamedKey(BaseModel):
    """Times are seconds since the Unix epoch. ``created_at`` is None if it is unknown. With ``networks``, only
    addresses in one of them may use the key."""

    model_config = ConfigDict(frozen=True)

    name: str
    key_hash: str
    created_at: float | None
    expires_at: float | None = None
    networks: tuple[str, ...] = Field(default=(), max_length=MAX_NETWORKS)
    role: Role = Role.PRIMARY

    def is_expired(self, now: float) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def expires_soon(self, now: float) -> bool:
        """Whether it expires within ``EXPIRES_SOON_S``; False if it has expired."""
        return self.expires_at is not None and now < self.expires_at <= now + EXPIRES_SOON_S

    def admits(self, address: str) -> bool:
        """Whether a publisher with this IP address may use the key."""
        return not self.networks or any(is_in_network(address, network) for network in self.networks)


def find_key(keys: Iterable[NamedKey], name: str) -> NamedKey | None:
    return next((key for key in keys if key.name == name), None)
