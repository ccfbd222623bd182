"""Stream keys: the secrets that broadcasters type. They are generated here, shown once, and stored as SHA-256 only.

A key has more than 118 random bits, so it cannot be guessed from its hash and needs neither salt nor a slow hash.
"""

import hashlib
import re
import secrets

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1, which are easily confused."""
LENGTH = 24
GROUP = 4
MAX_TYPED = 64

_CANONICAL = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")


def new_stream_key() -> str:
    """A random key, such as ``abcd-efgh-jkmn-pqrs-tuvw-xyz2``."""
    characters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(characters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def key_hash(key: str) -> str | None:
    """SHA-256 in hex of the key, without regard to surrounding spaces, case and hyphens.

    None if ``key`` does not have the form of a stream key.
    """
    if len(key) > MAX_TYPED:
        return None
    canonical = key.strip().lower().replace("-", "")
    if not _CANONICAL.fullmatch(canonical):
        return None
    return hashlib.sha256(canonical.encode()).hexdigest()
