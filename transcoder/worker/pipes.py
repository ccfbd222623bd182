"""Standard input and output of a worker process as messages."""

import contextlib
import ctypes
import os
import resource
import select
import signal
import threading
from collections.abc import Callable, Iterator

import av.logging

from transcoder.limits import WorkerLimits
from transcoder.messages import Failed, Message
from transcoder.protocol import MessageReader, encode

READ_SIZE = 64 * 1024
IDLE_S = 1.0
NICENESS = 5
# <linux/prctl.h>
PR_SET_NO_NEW_PRIVS = 38


def set_up_process(limits: WorkerLimits) -> None:
    """Every worker's first call. It gives ingest and origin priority on the processor, ignores Ctrl-C (the parent
    waits for the last frames), and silences FFmpeg's log about bad input, which is counted.

    A stranger's media might take over a decoder. So the process has a memory limit, leaves no core dump, gains no
    privileges by executing a program, and leads a process group of its own, which the parent kills as a whole.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    _limit(resource.RLIMIT_CORE, 0)
    if limits.max_memory is not None:
        _limit(resource.RLIMIT_AS, limits.max_memory)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    av.logging.set_libav_level(av.logging.FATAL)


def _limit(kind: int, value: int) -> None:
    """Lower both limits of a resource; a lower hard limit of the system stays."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (value, value))


def incoming(on_idle: Callable[[], None] | None = None) -> Iterator[Message]:
    """Messages until standard input ends. ``on_idle`` is called after each IDLE_S without one. Raises
    ProtocolViolation."""
    reader = MessageReader()
    while True:
        if on_idle is not None and not select.select((0,), (), (), IDLE_S)[0]:
            on_idle()
            continue
        data = os.read(0, READ_SIZE)
        if not data:
            return
        reader.receive_data(data)
        yield from reader.messages()


class Output:
    """Standard output, shared by the encoder threads. Anything else written to it goes to standard error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def send(self, message: Message) -> None:
        """Blocks while the pipe is full. Raises BrokenPipeError if the parent has exited."""
        data = memoryview(encode(message))
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data) :]

    def give_up(self, code: str, text: str) -> None:
        """Send the reason and end the process, from any thread: a job needs all its encoders."""
        with contextlib.suppress(OSError):
            self.send(Failed(code, text))
        os._exit(1)
