"""Limits and timeouts of the RTMP server."""

from dataclasses import dataclass, field

from ingest.rtmp.limits import Limits
from media.limits import MAX_PIXELS


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """All times are seconds.

    ``handshake_timeout``, ``connect_timeout`` and ``publish_timeout`` limit one step each, from the end of the step
    before. ``authorize_timeout`` limits the handler. ``idle_timeout`` limits the time without media.
    ``linger_timeout`` is the time that a refused publisher has to read the refusal. ``refusal_memory`` is how long
    the server refuses a publisher again, at publish, after it sent what the server does not carry.

    ``max_bitrate`` is bits, and ``max_messages`` messages per second (:mod:`ingest.budget`). ``max_pixels`` limits
    the pictures that parameter sets describe.

    ``max_publishers`` bounds the publishers whose key was accepted. ``max_pending`` bounds the other connections,
    and ``max_pending_per_address`` those of one address. ``trusted_proxies`` are balancers that send the PROXY
    protocol: addresses and networks, or ``*``.
    """

    app: str = "live"
    handshake_timeout: float = 5.0
    connect_timeout: float = 5.0
    publish_timeout: float = 10.0
    authorize_timeout: float = 10.0
    idle_timeout: float = 15.0
    linger_timeout: float = 0.5
    refusal_memory: float = 5.0
    max_publishers: int = 1000
    max_pending: int = 256
    max_pending_per_address: int = 64
    trusted_proxies: tuple[str, ...] = ()
    max_key_length: int = 256
    max_bitrate: int = 100_000_000
    max_messages: int = 2000
    max_pixels: int = MAX_PIXELS
    limits: Limits = field(default_factory=Limits)
