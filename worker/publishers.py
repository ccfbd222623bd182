"""The publishers of one broadcast: the one on air, and at most one on standby.

The first that connects is on air. The standby takes its place if it stalls or ends, or if the operator switches;
it never goes back by itself. One more publisher with the same key takes the place of the one that has it.
"""

from collections.abc import Callable
from enum import StrEnum

from structlog.typing import FilteringBoundLogger

from cluster.errors import NoStandby
from ingest.interface import EndReason, PublisherLink, PublishRequest
from live.status import PublisherStatus
from media.errors import MediaLimit
from media.log_context import LogContext
from media.roles import Role
from storage.catalogue.named_keys import NamedKey
from telemetry.stream_metrics import StreamMetrics
from worker.backup_advice import BackupAdvice, Places
from worker.broadcast import Broadcast
from worker.clock import Clock, Timer
from worker.publisher_events import PublisherEvents
from worker.publisher_session import PublisherSession
from worker.source_timeline import SourceStart
from worker.standby import Standby, ignore_start
from worker.switch_policy import SwitchPolicy
from worker.takeovers import Takeovers

# The publishers' arrivals are compared this many times within the time that a stall lasts.
CHECKS = 20
# Seconds that a switch by the operator waits for a keyframe. OBS sends one every 8.3 s if its interval is 0.
LONGEST_WAIT_S = 10.0


class Cause(StrEnum):
    """Why the standby went on air."""

    STALLED = "stalled"
    ENDED = "ended"
    OPERATOR = "operator"


WHY = {Cause.STALLED: "stalled", Cause.ENDED: "left"}


class Publishers:
    """``switch_after`` is the seconds without media after which a publisher stalls.

    ``on_changed`` is called after each change of who is connected or on air, ``on_empty`` if the last publisher has
    ended.
    """

    def __init__(
        self,
        broadcast: Broadcast,
        *,
        switch_after: float,
        clock: Clock,
        metrics: StreamMetrics,
        events: PublisherEvents,
        log: FilteringBoundLogger,
        log_context: LogContext,
        on_changed: Callable[[], None],
        on_empty: Callable[[EndReason, str], None],
    ) -> None:
        self.on_air: PublisherSession | None = None
        self.standby: PublisherSession | None = None
        self._broadcast = broadcast
        self._clock = clock
        self._metrics = metrics
        self._events = events
        self._log = log
        self._log_context = log_context
        self._on_changed = on_changed
        self._on_empty = on_empty
        self._buffer = self._new_buffer()
        self._policy = SwitchPolicy(switch_after)
        self._takeovers = Takeovers(broadcast.advice.warnings)
        self._advice = BackupAdvice(broadcast.advice.warnings)
        self._cause: Cause | None = None
        self._backup_lost = False
        self._closed = False
        self._checking: Timer | None = None
        self._abandoning: Timer | None = None

    def with_role(self, role: Role) -> PublisherSession | None:
        return next((one for one in (self.on_air, self.standby) if one is not None and one.role is role), None)

    def request_reconnect(self, text: str) -> int:
        """Ask the publishers to connect again; returns how many support that."""
        connected = (self.on_air, self.standby)
        return sum(one is not None and one.link.request_reconnect(text) for one in connected)

    def attach(
        self, request: PublishRequest, link: PublisherLink, role: Role, key: NamedKey | None = None
    ) -> PublisherSession:
        """Let a publisher send; one with the same role is disconnected with a reason."""
        before = self.with_role(role)
        on_air = before is self.on_air
        if before is not None:
            which = "with this" if before.has_key(key) else "with another"
            before.link.kick(f"another publisher {which} stream key took over", EndReason.TAKEN_OVER)
            self._takeovers.add(self._clock.monotonic())
        buffer = self._new_buffer()
        session = PublisherSession(
            self._broadcast if on_air else buffer,
            request,
            link,
            role=role,
            key=key,
            since=self._clock.monotonic(),
            on_ended=self._on_ended,
            log_context=self._log_context,
        )
        if on_air:
            self._events.attached(session, self._clock.monotonic(), replaced=before)
            self._broadcast.attach()
            self.on_air = session
            if before is None:
                self._cause = None
        else:
            self._set_standby(session, buffer)
        if role is Role.BACKUP:
            self._backup_lost = False
        place = "on air" if on_air else "standby"
        self._log.info(
            "publisher connected",
            address=link.address,
            software=request.software,
            role=role.value,
            key=session.key_name,
            place=place,
        )
        self._changed()
        return session

    def switch(self) -> Role:
        """Put the standby on air at its next keyframe; returns its role. Raises NoStandby."""
        if self.on_air is None:
            raise NoStandby("no publisher is on air: the first that connects goes on air")
        role, now = self.on_air.role.other, self._clock.monotonic()
        if self.standby is None:
            raise NoStandby(f"the {role} is not connected: only the {role.other} publishes")
        if not self._policy.standby_sends(now):
            silent_s = self._policy.standby_silent_s(now)
            raise NoStandby(f"the {role} is connected, but has sent nothing for {silent_s:.1f} s")
        if self._abandoning is None:
            self._log.info("the operator switches publishers", to=role.value)
            self._buffer.on_start = lambda: self._switch(Cause.OPERATOR)
            self._abandoning = self._clock.call_later(LONGEST_WAIT_S, self._abandon)
        return role

    def disconnect(self, key_hash: str, reason: str) -> None:
        """Disconnect the publisher whose stream key has this hash; the other one goes on air."""
        for session in (self.standby, self.on_air):
            if session is not None and session.key is not None and session.key.key_hash == key_hash:
                session.link.kick(reason, EndReason.REVOKED)

    def close(self, reason: str) -> None:
        """Disconnect all publishers: the broadcast ends."""
        self._closed = True
        for session in (self.standby, self.on_air):
            if session is not None:
                session.link.kick(reason)

    def tick(self, now: float) -> None:
        """Review the warnings. Call it about once a second with monotonic seconds."""
        self._takeovers.review(now)
        self._advice.review(self._places(now), now)

    def describe(self, session: PublisherSession | None, now: float) -> PublisherStatus | None:
        """The status of :attr:`on_air` or :attr:`standby`. ``now`` is monotonic seconds."""
        if session is None:
            return None
        return PublisherStatus(
            address=session.link.address,
            software=session.software,
            connected_s=round(now - session.since, 1),
            role=session.role,
            key=session.key_name,
        )

    def _places(self, now: float) -> Places | None:
        if self.on_air is None:
            return None
        return Places(
            self.on_air.role,
            self.standby.role if self.standby is not None else None,
            self._policy.standby_silent_s(now),
            WHY.get(self._cause) if self._cause is not None else None,
            self._backup_lost,
        )

    def _changed(self) -> None:
        now = self._clock.monotonic()
        self._advice.review(self._places(now), now)
        self._on_changed()

    def _on_ended(self, session: PublisherSession, reason: EndReason, text: str) -> None:
        self._log.info("publisher gone", reason=reason.value, text=text, role=session.role.value)
        was_on_air = session is self.on_air
        if was_on_air:
            self.on_air = None
        elif session is self.standby:
            self._set_standby(None, self._new_buffer())
        else:
            return
        if self._closed or reason is EndReason.TAKEN_OVER:
            return
        if session.role is Role.BACKUP:
            self._backup_lost = reason not in (EndReason.UNPUBLISHED, EndReason.REVOKED)
        if not was_on_air:
            self._changed()
        elif self.standby is not None and reason is not EndReason.KICKED:
            self._switch_or_disconnect(Cause.ENDED)
        else:
            self._events.ended(session.link.address, reason, text, self._clock.monotonic())
            self._on_empty(reason, text)
            self._advice.review(None, self._clock.monotonic())

    def _check(self) -> None:
        now = self._clock.monotonic()
        self._policy.observe(self._broadcast.arrived, self._buffer.arrived, now)
        self._checking = self._clock.call_later(self._policy.switch_after / CHECKS, self._check)
        # Without a keyframe to begin with, the one on air may as well continue.
        if self._policy.is_due(now) and self._buffer.start is not None:
            self._policy.switched(now)
            self._switch_or_disconnect(Cause.STALLED)

    def _abandon(self) -> None:
        self._buffer.on_start = ignore_start
        self._abandoning = None
        self._log.warning("the operator's switch is abandoned: no keyframe arrived", seconds=LONGEST_WAIT_S)

    def _switch_or_disconnect(self, cause: Cause) -> None:
        """Switch outside of the standby's own call, which would disconnect it if it exceeded a limit."""
        session = self.standby
        try:
            self._switch(cause)
        except MediaLimit as error:
            if session is not None:
                session.link.kick(str(error), EndReason.PROTOCOL_ERROR)

    def _switch(self, cause: Cause) -> None:
        """Put the standby on air, and the one on air on standby, if it is still connected. Raises MediaLimit, after
        which the publisher that is now on air must not send any more."""
        before, session, buffer, now = self.on_air, self.standby, self._buffer, self._clock.monotonic()
        assert session is not None, "a switch needs a standby"
        self._policy.observe(self._broadcast.arrived, buffer.arrived, now)
        if not self._policy.standby_sends(now):
            # What a standby that stalls has sent is too old to be shown.
            buffer.clear()
        self._broadcast.detach()
        self._broadcast.attach(buffer.start or SourceStart())
        self.on_air, self._cause = session, cause
        new_buffer = self._new_buffer()
        if before is not None:
            before.feed(new_buffer)
        self._set_standby(before, new_buffer)
        self._metrics.publisher_switched(cause.value)
        self._events.switched(session.role, WHY.get(cause))
        self._log.info("publisher switched", on_air=session.role.value, cause=cause.value)
        self._changed()
        session.feed(self._broadcast)
        for unit in buffer.take():
            self._broadcast.on_unit(unit)

    def _set_standby(self, session: PublisherSession | None, buffer: Standby) -> None:
        """Compare the arrivals of both publishers while there are two."""
        self.standby, self._buffer = session, buffer
        for timer in (self._checking, self._abandoning):
            if timer is not None:
                timer.cancel()
        self._checking = self._abandoning = None
        if session is not None:
            now = self._clock.monotonic()
            self._policy.begin(self._broadcast.arrived, buffer.arrived, now)
            self._checking = self._clock.call_later(self._policy.switch_after / CHECKS, self._check)

    def _new_buffer(self) -> Standby:
        return Standby(max_bytes=self._broadcast.start_bytes, clock=self._clock.monotonic)
