"""``headwater demo``: a synthetic broadcaster that publishes a test picture as OBS does."""

from control.demo.broadcaster import Broadcaster
from control.demo.errors import DemoError

__all__ = ["Broadcaster", "DemoError"]
