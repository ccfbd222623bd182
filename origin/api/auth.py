"""API tokens in requests (RFC 6750): who sends a request, and what that token allows."""

import hmac
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from fastapi import Request

from media.peers import counted_as
from origin.api.errors import ApiError, ScopeMissing, TooManyWrongTokens, Unauthorized
from origin.api.refusals import RefusalTally
from origin.api.throttle import Throttle
from storage.audit import AuditActor, AuditLog
from storage.catalogue.api_tokens import FILE_TOKEN, ApiTokens
from storage.catalogue.scopes import Scope
from storage.interface import StorageError

log = structlog.get_logger("api")

# An address may send this many wrong tokens at once, and another one every interval. Tokens cannot be guessed at
# any rate: the limit is for what guesses cost the store and the log.
WRONG_TOKENS = 10
WRONG_TOKEN_INTERVAL_S = 6.0

FILE_ACTOR = AuditActor(name=FILE_TOKEN, id="file", scope=Scope.ADMIN)


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request with a valid token, which expires at ``expires_at`` (Unix seconds) or never."""

    token: AuditActor
    expires_at: float | None
    address: str
    client: str | None


class Authenticator:
    """``file_token`` returns the token in the data directory, which has the scope admin. ``clock`` returns Unix
    seconds, ``monotonic`` monotonic seconds. ``on_refused`` gets the code of each refusal.

    The token is checked first, and only wrong ones are throttled: a right token works even from an address that
    others share and misuse. This helps no attacker, because 256 random bits cannot be guessed. For a throttled
    address, only a token that this process has not seen before is refused without a look-up in the store.
    """

    def __init__(
        self,
        file_token: Callable[[], str],
        tokens: ApiTokens,
        audit: AuditLog,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        on_refused: Callable[[str], None] = lambda code: None,
    ) -> None:
        self.tokens = tokens
        self._file_token = file_token
        self._clock = clock
        self._monotonic = monotonic
        self._on_refused = on_refused
        self._throttle = Throttle(WRONG_TOKENS, WRONG_TOKEN_INTERVAL_S)
        self._tally = RefusalTally(audit, clock)

    async def authorize(self, request: Request, scope: Scope) -> Caller:
        """The sender of ``request``, if its token includes ``scope``. Raises Unauthorized, TooManyWrongTokens,
        ScopeMissing, StorageError."""
        address = request.client.host if request.client is not None else ""
        token = _bearer_token(request)
        if token is None:
            raise Unauthorized("this needs an API token: Authorization: Bearer TOKEN")
        try:
            actor, expires_at = await self._identify(token, address)
        except (Unauthorized, TooManyWrongTokens) as refusal:
            self._refused(refusal, address)
            raise
        if not actor.scope.includes(scope):
            missing = ScopeMissing(
                f"this needs a token with the scope {scope}: the token {actor.name} has {actor.scope}", scope
            )
            self._refused(missing, address, actor)
            raise missing
        return Caller(actor, expires_at, address, request.headers.get("user-agent"))

    async def admits(self, request: Request, scope: Scope) -> bool:
        """Whether :meth:`authorize` admits the request."""
        try:
            await self.authorize(request, scope)
        except (ApiError, StorageError):
            return False
        return True

    def close(self) -> None:
        self._tally.flush()

    async def _identify(self, token: str, address: str) -> tuple[AuditActor, float | None]:
        """The owner of ``token``, and when it expires. Raises Unauthorized, TooManyWrongTokens, StorageError."""
        if hmac.compare_digest(token.encode(), self._file_token().encode()):
            return FILE_ACTOR, None
        peer = counted_as(address)
        wait_s = self._throttle.wait_s(peer, self._monotonic())
        record = await self.tokens.find(token) if not wait_s or self.tokens.is_known(token) else None
        now = self._clock()
        if record is not None and (record.expires_at is None or now < record.expires_at):
            self.tokens.note_use(record, now=now)
            return AuditActor(name=record.name, id=record.id, scope=record.scope), record.expires_at
        if wait_s:
            retry_after_s = math.ceil(wait_s)
            raise TooManyWrongTokens(
                f"too many wrong tokens from your address: try again in {retry_after_s} s", retry_after_s
            )
        self._throttle.count(peer, self._monotonic())
        if record is not None:
            raise Unauthorized(f"the token {record.name} has expired: create another one")
        raise Unauthorized("the token is not this server's: it is mistyped, revoked, or for another server")

    def _refused(self, refusal: ApiError, address: str, actor: AuditActor | None = None) -> None:
        self._on_refused(refusal.code)
        self._tally.add(refusal.code, address, actor)
        if not isinstance(refusal, TooManyWrongTokens):
            log.warning(
                "an API request was refused",
                code=refusal.code,
                address=address,
                token=actor.name if actor else None,
            )


def _bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
