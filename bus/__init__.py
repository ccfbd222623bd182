"""The seam for what is live: media as it is made, live state, commands.

:class:`Bus` is what the roles are written against; :mod:`bus.memory` is the one for a single process.
"""

from bus.interface import Bus, BusError, KeyValue, NoResponder, RequestTimeout, Subscription

__all__ = ["Bus", "BusError", "KeyValue", "NoResponder", "RequestTimeout", "Subscription"]
