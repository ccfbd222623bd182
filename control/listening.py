"""Opens the listening sockets. They are opened first, so that all other parts get the actual addresses."""

import os
import socket
from typing import ClassVar

from control.config import Address
from control.errors import ControlError

# Many encoders and players may connect at the same moment.
BACKLOG = 1024


class ListenFailed(ControlError):
    """A port cannot be opened; the text names the port, the reason and the option that sets it."""

    code: ClassVar[str] = "listen-failed"


def listen(address: Address, protocol: str, option: str) -> tuple[socket.socket, Address]:
    """A listening socket and the address it is bound to. ``protocol`` (``RTMP``, ``HTTP``) and the ``option`` that
    chooses the address are for the error text.

    Raises ListenFailed.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ListenFailed(
            f"cannot listen on {address} for {protocol}: {_reason(error)}; choose another address with {option}"
        ) from error
    listener.setblocking(False)
    return listener, Address(*listener.getsockname()[:2])


def _reason(error: OSError) -> str:
    """The error's text without the address that :func:`socket.create_server` appends. Errors of name resolution
    have negative numbers, for which :func:`os.strerror` has no text."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)
