"""``headwater doctor``: tests what a server needs on this machine, and says what to change."""

from control.doctor.examination import examine
from control.doctor.finding import Finding, State

__all__ = ["Finding", "State", "examine"]
