"""API tokens as text: ``hw_{name}_{secret}``. Only SHA-256 of the whole text is stored.

People and secret scanners recognize the prefix. The name leads to the stored record in one read. The secret has 256
random bits, so its hash needs neither salt nor a slow function.
"""

import hashlib
import re
import secrets
import string

ALPHABET = string.ascii_letters + string.digits
SECRET_LENGTH = 43

_TOKEN = re.compile(rf"hw_([a-z0-9-]{{1,63}})_[A-Za-z0-9]{{{SECRET_LENGTH}}}")


def new_api_token(name: str) -> str:
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return f"hw_{name}_{secret}"


def token_name(token: str) -> str | None:
    """The name in ``token``; None if the text does not have the form of an API token."""
    match = _TOKEN.fullmatch(token)
    return match and match[1]


def token_hash(token: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()
