"""Bounds and patience of the RTMP edge."""

from dataclasses import dataclass, field

from ingest.rtmp.limits import Limits


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """Times are seconds.

    ``handshake_timeout``, ``connect_timeout`` and ``publish_timeout`` each bound one step towards publishing, from
    the step before; ``authorize_timeout`` bounds the handler; ``idle_timeout`` is how long a publisher may send no
    media; ``linger_timeout`` is how long a refused publisher has to read the refusal; ``refusal_memory`` is how
    long a publisher whose codec was refused is refused again at once.
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
