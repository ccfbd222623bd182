"""The access of operators to an origin in memory."""

from collections.abc import Callable

from origin.api.auth import Authenticator
from storage.audit import AuditLog
from storage.catalogue.api_tokens import ApiTokens
from storage.interface import ObjectStore


def operators(
    store: ObjectStore, token: str, clock: Callable[[], float], *, monotonic: Callable[[], float] | None = None
) -> tuple[Authenticator, AuditLog]:
    """``token`` is the one of the data directory; other tokens and the audit log are in ``store``."""
    audit, monotonic = AuditLog(store), monotonic or clock
    tokens = ApiTokens(store, clock=monotonic)
    return Authenticator(lambda: token, tokens, audit, clock=clock, monotonic=monotonic), audit
