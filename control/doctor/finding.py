"""What a check has found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    """It works, but worse than it could, or not for long."""
    FAULT = "fault"
    """The server, or a part of it, does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``advice`` says what to change; empty if nothing."""

    subject: str
    state: State
    text: str
    advice: str = ""


def good(subject: str, text: str) -> Finding:
    return Finding(subject, State.GOOD, text)


def warning(subject: str, text: str, advice: str) -> Finding:
    return Finding(subject, State.WARNING, text, advice)


def fault(subject: str, text: str, advice: str) -> Finding:
    return Finding(subject, State.FAULT, text, advice)
