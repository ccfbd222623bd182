"""Reads the sockets of all publishers at the ticks of one timer.

An encoder writes each frame on its own, about a hundred times a second. If the event loop watches the socket, it
wakes for each of these writes. The pump reads what has come since the last tick at once, which takes about a third
of the processor time of a passed-through stream away, and delays a frame by half an interval on average.
"""

import asyncio
import os
from time import monotonic
from typing import Protocol

# Seconds between two reads of a socket.
INTERVAL_S = 0.015
# Not shorter: if threads want the interpreter lock, each turn of the event loop waits up to 5 ms for it.
ROUND_S = 0.015


class Receiver(Protocol):
    """An :class:`asyncio.BufferedProtocol`."""

    def get_buffer(self, sizehint: int) -> memoryview: ...

    def buffer_updated(self, nbytes: int) -> None: ...


class Pump:
    """Calls :meth:`SocketReading.read` of its members every INTERVAL_S. If that takes longer than ROUND_S, other
    callbacks run in between."""

    def __init__(self) -> None:
        self._members: dict[SocketReading, None] = {}
        # Those that are not read yet in this round.
        self._left: list[SocketReading] = []
        self._next: asyncio.Handle | None = None
        self._due = 0.0

    def add(self, member: "SocketReading") -> None:
        self._members[member] = None
        if self._next is None:
            self._next = asyncio.get_running_loop().call_later(INTERVAL_S, self._begin_round)

    def remove(self, member: "SocketReading") -> None:
        self._members.pop(member, None)

    def __contains__(self, member: "SocketReading") -> bool:
        return member in self._members

    def _begin_round(self) -> None:
        self._due = asyncio.get_running_loop().time() + INTERVAL_S
        self._left = list(self._members)
        self._continue_round()

    def _continue_round(self) -> None:
        loop, ends = asyncio.get_running_loop(), monotonic() + ROUND_S
        while self._left:
            member = self._left.pop()
            if member in self._members:
                member.read()
            if self._left and monotonic() >= ends:
                self._next = loop.call_soon(self._continue_round)
                return
        self._next = loop.call_at(self._due, self._begin_round) if self._members else None


class SocketReading:
    """Who reads the socket of ``transport`` for ``receiver``: the event loop, the pump, or nobody. First, it is the
    loop."""

    def __init__(self, transport: asyncio.Transport, receiver: Receiver, pump: Pump) -> None:
        self._transport = transport
        self._receiver: Receiver | None = receiver
        self._pump = pump
        self._file = transport.get_extra_info("socket").fileno()

    def by_loop(self) -> None:
        self._pump.remove(self)
        self._transport.resume_reading()

    def by_pump(self) -> None:
        """From now on, without waiting for the next tick: a publisher that has fallen behind sends all the time."""
        self._transport.pause_reading()
        self._pump.add(self)
        asyncio.get_running_loop().call_soon(self.read)

    def pause(self) -> None:
        self._pump.remove(self)
        self._transport.pause_reading()

    def close(self) -> None:
        """The transport is closed. Nothing refers to the receiver any more."""
        self._pump.remove(self)
        self._receiver = None

    def read(self) -> None:
        """Pass to the receiver what the socket has received."""
        receiver = self._receiver
        # A socket that is about to be closed has no number of its own any more.
        while receiver is not None and self in self._pump and not self._transport.is_closing():
            buffer = receiver.get_buffer(-1)
            try:
                count = os.readv(self._file, (buffer,))
            except BlockingIOError:
                return
            except OSError:
                count = 0
            if not count:
                # The loop finds the end, or the error, as well.
                self.by_loop()
                return
            receiver.buffer_updated(count)
            if count < len(buffer):
                return
