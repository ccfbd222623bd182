"""The server's side of a session as a table: what may happen when, and what comes of it.

========== ============= ============================ ===========
state      input         meaning                      next
========== ============= ============================ ===========
HANDSHAKE  HANDSHAKEN    C0, C1 and C2 have come      CONNECTING
CONNECTING CONNECT       connect                      CONNECTED
CONNECTED  CALL          createStream and the like    CONNECTED
CONNECTED  PUBLISH       publish                      AUTHORIZING
CONNECTED  UNPUBLISH     deleteStream and the like    CONNECTED
CONNECTED  PLAY          play                         ENDED
AUTHORIZING ACCEPT       the application says yes     PUBLISHING
AUTHORIZING REFUSE       the application says no      ENDED
PUBLISHING CALL          createStream and the like    PUBLISHING
PUBLISHING UNPUBLISH     FCUnpublish and the like     CONNECTED
any        END           we end the session           ENDED
========== ============= ============================ ===========
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class State(Enum):
    HANDSHAKE = "handshake"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    AUTHORIZING = "authorizing"
    PUBLISHING = "publishing"
    ENDED = "ended"


class Input(Enum):
    HANDSHAKEN = "handshaken"
    CONNECT = "connect"
    CALL = "call"
    PUBLISH = "publish"
    ACCEPT = "accept"
    REFUSE = "refuse"
    UNPUBLISH = "unpublish"
    PLAY = "play"
    END = "end"


TRANSITIONS: Mapping[State, Mapping[Input, State]] = MappingProxyType(
    {
        State.HANDSHAKE: {Input.HANDSHAKEN: State.CONNECTING, Input.END: State.ENDED},
        State.CONNECTING: {Input.CONNECT: State.CONNECTED, Input.END: State.ENDED},
        State.CONNECTED: {
            Input.CALL: State.CONNECTED,
            Input.PUBLISH: State.AUTHORIZING,
            Input.UNPUBLISH: State.CONNECTED,
            Input.PLAY: State.ENDED,
            Input.END: State.ENDED,
        },
        State.AUTHORIZING: {
            Input.ACCEPT: State.PUBLISHING,
            Input.REFUSE: State.ENDED,
            Input.END: State.ENDED,
        },
        State.PUBLISHING: {
            Input.CALL: State.PUBLISHING,
            Input.UNPUBLISH: State.CONNECTED,
            Input.END: State.ENDED,
        },
        State.ENDED: {Input.END: State.ENDED},
    }
)
