"""How long a broadcast waits for its publishers, and what viewers see meanwhile."""

from dataclasses import dataclass

from media.slate import SlateMode
from transcoder.image import Image


@dataclass(frozen=True, slots=True)
class PublisherOptions:
    """Seconds. A publisher that returns within ``reconnect_window`` continues its broadcast; 0 ends it at once. If
    the publisher on air sends nothing for ``switch_after``, the one on standby takes its place. Viewers see the
    ``slate`` from ``slate_after`` on, counted from the loss of the publisher."""

    reconnect_window: float = 60.0
    switch_after: float = 1.0
    slate: SlateMode = SlateMode.OFF
    slate_after: float = 3.0
    slate_image: Image | None = None
