"""The headers of a message, signed as the Standard Webhooks specification says."""

import base64
import hmac
from collections.abc import Iterable

from storage.hooks.secrets import secret_bytes


def signed_headers(message: str, body: bytes, secrets: Iterable[str], *, now: int) -> dict[str, str]:
    """``message`` is the id, ``now`` Unix seconds. Each of ``secrets`` adds a signature."""
    content = f"{message}.{now}.".encode() + body
    signatures = (hmac.digest(secret_bytes(secret), content, "sha256") for secret in secrets)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
    }
