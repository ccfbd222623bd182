"""File descriptors: a process has a limited number, and sockets may use them up.

Without descriptors the store can write nothing. So sockets get a share of the limit, and the rest stays for the
store, the transcoders' pipes and everything else.
"""

import resource
from dataclasses import dataclass

# More than any limit of this program needs; some systems allow a billion.
ENOUGH = 1 << 20
# For the store's files and connections, listening sockets, logs and libraries.
RESERVED = 128
# A publisher's socket, and the pipes of its transcoder.
PER_PUBLISHER = 4


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections the server accepts. On the RTMP port, ``publishers`` have an accepted key, and
    ``pending`` connections have none."""

    http: int
    publishers: int
    pending: int


def raise_descriptor_limit() -> int:
    """Raise this process's soft limit as far as it may, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
        return highest
    return soft if soft != resource.RLIM_INFINITY else ENOUGH


def share(descriptors: int, wanted: Connections) -> Connections:
    """The part of ``wanted`` that fits within ``descriptors``: RTMP gets at most a half, HTTP what is left."""
    available = max(0, descriptors - RESERVED)
    rtmp = available // 2
    pending = max(1, min(wanted.pending, rtmp // 4))
    publishers = max(1, min(wanted.publishers, (rtmp - pending) // PER_PUBLISHER))
    http = max(1, min(wanted.http, available - pending - publishers * PER_PUBLISHER))
    return Connections(http=http, publishers=publishers, pending=pending)
