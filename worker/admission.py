"""Decides who may publish: by the stream key and its limits, by bans, and by the operator's own service."""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from ingest.errors import PublishRefused
from ingest.interface import PublishRequest
from media.addresses import host_of
from media.roles import Role
from storage.catalogue import Catalogue
from storage.catalogue.catalogue import Publisher
from storage.catalogue.named_keys import NamedKey
from storage.catalogue.records import FOREVER, StreamRecord
from storage.interface import StorageError
from worker.clock import Clock
from worker.publish_hook import PublishHook

log = structlog.get_logger("live")

UNKNOWN_KEY = "unknown or revoked stream key: copy it again from `headwater create` or rotate-key"
NO_STORE = "the server cannot reach its store to check the stream key; try again"
# Longer bans are given with their end instead of their length.
LONG_BAN_S = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class Admitted:
    """A publisher that may publish to the stream of ``record``. ``key`` is None if the operator's service has
    chosen the stream."""

    record: StreamRecord
    role: Role
    key: NamedKey | None


class Admission:
    def __init__(self, catalogue: Catalogue, hook: PublishHook, clock: Clock) -> None:
        self._catalogue = catalogue
        self._hook = hook
        self._clock = clock

    async def admit(self, request: PublishRequest) -> Admitted:
        """Raises PublishRefused."""
        known = await self._find(request)
        chosen = await self._hook.ask(request, known)
        # The key may have been revoked, or the stream banned, while the service was asked.
        publisher = await self._find(request)
        if publisher is None and (chosen is None or known is not None):
            raise PublishRefused(UNKNOWN_KEY)
        if chosen is None or (publisher is not None and publisher.record.stream == chosen.stream):
            assert publisher is not None
            return Admitted(publisher.record, publisher.role, publisher.key)
        self._check_ban(chosen)
        return Admitted(chosen, Role.PRIMARY, None if publisher is None else publisher.key)

    async def _find(self, request: PublishRequest) -> Publisher | None:
        """What the stream key stands for; None if it is unknown. Raises PublishRefused."""
        try:
            publisher = await self._catalogue.find_publisher(request.key)
        except StorageError as error:
            log.error("stream keys cannot be looked up", error=str(error))
            raise PublishRefused(NO_STORE) from error
        if publisher is not None:
            self._check_key(publisher.key, host_of(request.address))
            self._check_ban(publisher.record)
        return publisher

    def _check_key(self, key: NamedKey, host: str) -> None:
        if key.expires_at is not None and key.is_expired(self._clock.unix()):
            raise PublishRefused(f"the stream key {key.name} expired on {_moment(key.expires_at)}: use another one")
        if not key.admits(host):
            raise PublishRefused(f"the stream key {key.name} is not valid from this address ({host})")

    def _check_ban(self, record: StreamRecord) -> None:
        now = self._clock.unix()
        if record.banned_until is None or not record.is_banned(now):
            return
        left = record.banned_until - now
        if record.banned_until >= FOREVER:
            length = ""
        elif left > LONG_BAN_S:
            length = f" until {_moment(record.banned_until)}"
        else:
            length = f" for another {round(left)} s"
        reason = f": {record.ban_reason}" if record.ban_reason else ""
        raise PublishRefused(f"the operator has banned this stream{length}{reason}")


def _moment(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M} UTC"
