"""Stream keys: the secrets that broadcasters type. Made here, shown once, kept only as SHA-256.

120 bits of chance need no salt and no slow hash: they cannot be guessed from the hash.
"""

import hashlib
import re
import secrets

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1, which look alike."""
LENGTH = 24
GROUP = 4
MAX_TYPED = 64

_CANONICAL = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")


def new_stream_key() -> str:
    """``abcd-efgh-jkmn-pqrs-tuvw-xyz2``."""
    characters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(characters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def key_hash(key: str) -> str | None:
    """SHA-256, as hex, of the key as it was meant: spaces around it, capitals and hyphens do not count.

    None for what cannot be a key.
    """
    if len(key) > MAX_TYPED:
        return None
    canonical = key.strip().lower().replace("-", "")
    if not _CANONICAL.fullmatch(canonical):
        return None
    return hashlib.sha256(canonical.encode()).hexdigest()
