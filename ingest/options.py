"""Limits and timeouts of the RTMP server."""

from dataclasses import dataclass, field

from ingest.rtmp.limits import Limits


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """All times are seconds.

    ``handshake_timeout``, ``connect_timeout`` and ``publish_timeout`` limit one step each, from the end of the step
    before. ``authorize_timeout`` limits the handler. ``idle_timeout`` limits the time without media.
    ``linger_timeout`` is the time that a refused publisher has to read the refusal. ``refusal_memory`` is how long
    the server refuses a publisher again, at publish, after it sent an unsupported codec.
    """

    app: str = "live"
    handshake_timeout: float = 5.0
    connect_timeout: float = 5.0
    publish_timeout: float = 10.0
    authorize_timeout: float = 10.0
    idle_timeout: float = 15.0
    linger_timeout: float = 0.5
    refusal_memory: float = 5.0
    max_connections: int = 1000
    max_key_length: int = 256
    limits: Limits = field(default_factory=Limits)
