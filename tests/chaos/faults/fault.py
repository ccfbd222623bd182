"""A fault as a value: what it does, how long viewers may see a still picture, and the events for the operator."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.stage import Stage, Stream

Strike = Callable[["Stage", "Stream"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """``limit_s`` bounds the stalls of its viewers. ``events`` are the codes in the event log of its stream, or if
    ``everywhere``, of any stream: all of them are affected. ``needs`` is the kind of store that it needs."""

    name: str
    about: str
    strike: Strike
    limit_s: float
    events: tuple[str, ...] = ()
    everywhere: bool = False
    needs: str | None = None


FAULTS: dict[str, Fault] = {}


def fault(
    limit_s: float, *events: str, everywhere: bool = False, needs: str | None = None
) -> Callable[[Strike], Strike]:
    """Register a function as a fault. The first paragraph of its docstring describes it in the report."""

    def register(strike: Strike) -> Strike:
        name = strike.__name__.replace("_", "-")
        about = " ".join((strike.__doc__ or "").split("\n\n")[0].split())
        FAULTS[name] = Fault(name, about, strike, limit_s, events, everywhere, needs)
        return strike

    return register
