"""What follows an attempt: pure decisions."""

from dataclasses import dataclass

from control.hooks.sender import Answer
from storage.backoff import Backoff
from storage.hooks.deliveries import Delivery

RETRIES = Backoff(first=5.0, most=3600.0)
GONE = 410
# The statuses with which Retry-After counts.
BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Delivered:
    pass


@dataclass(frozen=True, slots=True)
class Retry:
    """``pause_until``: the target wants no other message before then either. Unix seconds."""

    due_at: float
    pause_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Dead:
    pass


@dataclass(frozen=True, slots=True)
class Gone:
    """The target does not exist any more, so the hook is disabled."""


Verdict = Delivered | Retry | Dead | Gone


def judge(answer: Answer, delivery: Delivery, *, now: float, random: float) -> Verdict:
    """``delivery`` counts the attempt that ``answer`` ended. ``random`` is in [0, 1)."""
    if answer.error is None:
        return Delivered()
    if answer.status == GONE:
        return Gone()
    wished = answer.retry_after_s if answer.status in BUSY else None
    due_at = now + max(RETRIES.delay(delivery.attempts, random), wished or 0.0)
    if due_at > delivery.expires_at:
        return Dead()
    return Retry(due_at, pause_until=now + wished if wished else 0.0)
