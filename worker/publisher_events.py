"""Notes when the publisher of a broadcast comes, leaves and returns: events, a warning and a metric."""

from collections.abc import Callable

from ingest.interface import EndReason
from media.roles import Role
from storage.catalogue.events import EventCode
from storage.catalogue.named_keys import ROLES
from worker.event_log import EventSink
from worker.publisher_session import PublisherSession
from worker.warnings import Warnings

CODE = "publisher-lost"
# The ends of a publication that nobody wanted.
LOSSES = frozenset({EndReason.LOST, EndReason.PROTOCOL_ERROR})
# What viewers see while the publisher is away.
VIEWERS_WAIT = "viewers wait"
VIEWERS_SEE_SLATE = "viewers see the slate"


class PublisherEvents:
    """``reconnect_window`` is seconds, ``now`` monotonic seconds. ``on_lost`` is called with the reason of each
    loss."""

    def __init__(
        self,
        events: EventSink,
        warnings: Warnings,
        *,
        reconnect_window: float,
        on_lost: Callable[[str], None],
    ) -> None:
        self._events = events
        self._warnings = warnings
        self._reconnect_window = reconnect_window
        self._on_lost = on_lost
        self.viewers = VIEWERS_WAIT
        self._started = False
        # When the publisher was lost, and why.
        self._lost: tuple[float, str] | None = None

    @property
    def lost(self) -> bool:
        """Whether a lost publisher is awaited."""
        return self._lost is not None

    def attached(
        self, publisher: PublisherSession, now: float, *, replaced: PublisherSession | None = None
    ) -> None:
        """A publisher begins to send. ``replaced`` is the one that it takes over from."""
        address, software, key = publisher.link.address, publisher.software, publisher.key_name
        fields = {"address": address} | ({"software": software} if software else {}) | ({"key": key} if key else {})
        with_key = f" with the stream key {key}" if key and key not in ROLES else ""
        lost, self._lost = self._lost, None
        self._warnings.clear(CODE)
        if replaced is not None:
            first = replaced.link.address
            which = "the same stream key" if replaced.has_key(publisher.key) else f"the stream key {key}"
            text = f"another encoder with {which} took over, from {address}; the first, from {first},"
            text += " was disconnected"
            self._events.add(EventCode.TAKEN_OVER, text, replaced=first, **fields)
        elif lost is not None:
            away_s = round(now - lost[0], 1)
            text = f"the publisher returned from {address}{with_key} after {away_s:.1f} s"
            self._events.add(EventCode.PUBLISHER_RETURNED, text, away_s=away_s, **fields)
        elif not self._started:
            encoder = f" with {software}" if software else ""
            also = f",{with_key}" if encoder and with_key else with_key
            self._events.add(EventCode.STARTED, f"the broadcast started from {address}{encoder}{also}", **fields)
        self._started = True

    def recovered(self, now: float) -> None:
        """The broadcast continues after the server's process died. Its publisher is awaited."""
        self._started = True
        self._lost = (now, "the server was restarted")
        self._events.add(
            EventCode.RECOVERED, "the server was restarted, and continues the broadcast if the publisher returns"
        )
        self.review(now)

    def switched(self, to: Role, why: str | None) -> None:
        """The publisher with the role ``to`` went on air, because the other one did what ``why`` says, or by the
        operator's choice."""
        because = f"the {to.other} {why}" if why is not None else "the operator switched"
        self._events.add(EventCode.SWITCHED, f"the {to} went on air: {because}", on_air=to.value, cause=because)

    def ended(self, address: str, reason: EndReason, text: str, now: float) -> None:
        """The publication has ended; ``text`` is why, in words."""
        if reason not in LOSSES:
            return
        self._on_lost(reason.value)
        why = text or reason.value
        awaited = self._reconnect_window > 0
        if awaited:
            self._lost = (now, why)
            self.review(now)
        wait = f"; the broadcast waits {self._reconnect_window:g} s for it" if awaited else ""
        self._events.add(
            EventCode.PUBLISHER_LOST,
            f"the publisher from {address} was lost: {why}{wait}",
            reason=reason.value,
            address=address,
        )

    def review(self, now: float) -> None:
        """Warn while the publisher is away. Call it about once a second."""
        if self._lost is None:
            return
        since, why = self._lost
        left_s = max(0.0, since + self._reconnect_window - now)
        text = (
            f"the publisher is gone for {now - since:.0f} s ({why}), and {self.viewers}: the broadcast ends in "
            f"{left_s:.0f} s if it does not return; in OBS: Settings, Advanced, Automatically Reconnect"
        )
        self._warnings.report(CODE, text, now)
