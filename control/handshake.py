"""A TLS handshake in memory, which shows how a client sees a server's certificate."""

import ssl
from contextlib import suppress

# In each round, both sides take what the other has sent. TLS 1.2 needs most.
ROUNDS = 3


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str | None = None) -> ssl.SSLObject:
    """The client's side of a connection for ``host``. Raises ssl.SSLError, also if the client refuses the
    certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=host)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(ROUNDS):
        for side in (asking, answering):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return asking
