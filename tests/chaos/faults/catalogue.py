"""All faults. Each module registers its own."""

from tests.chaos.faults import publishers, server, transcoders
from tests.chaos.faults.fault import FAULTS

__all__ = ["FAULTS", "publishers", "server", "transcoders"]
