"""The secrets of hooks, in the form of the Standard Webhooks specification: ``whsec_`` and base64."""

import base64
import secrets

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret that the specification allows."""
BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def secret_bytes(secret: str) -> bytes:
    """The key for HMAC. Raises ValueError if ``secret`` has another form."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else b""
    except ValueError:
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(
            f"it is not a secret of Standard Webhooks; write {PREFIX} and base64 of {SHORTEST} to {LONGEST} random "
            f'bytes: echo "{PREFIX}$(openssl rand -base64 32)"'
        )
    return key
