"""The state table of the server's side of a session: the allowed inputs in each state, and the next states.

========== ============= ============================ ===========
state      input         meaning                      next
========== ============= ============================ ===========
HANDSHAKE  HANDSHAKEN    C0, C1 and C2 were read      CONNECTING
CONNECTING CONNECT       connect                      CONNECTED
CONNECTED  CALL          createStream and others      CONNECTED
CONNECTED  PUBLISH       publish                      AUTHORIZING
CONNECTED  UNPUBLISH     deleteStream and others      CONNECTED
CONNECTED  PLAY          play                         ENDED
AUTHORIZING ACCEPT       the application accepts      PUBLISHING
AUTHORIZING REFUSE       the application refuses      ENDED
PUBLISHING CALL          createStream and others      PUBLISHING
PUBLISHING UNPUBLISH     FCUnpublish and others       CONNECTED
any        END           the server ends it           ENDED
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
