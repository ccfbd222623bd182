"""Standard input and output of a worker process as messages."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

import av.logging

from transcoder.messages import Failed, Message
from transcoder.protocol import MessageReader, encode

READ_SIZE = 256 * 1024
NICENESS = 5


def set_up_process() -> None:
    """Every worker's first call. It gives ingest and origin priority on the processor, ignores Ctrl-C (the parent
    waits for the last frames), and silences FFmpeg's log about bad input, which is counted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    av.logging.set_libav_level(av.logging.FATAL)


def incoming() -> Iterator[Message]:
    """Messages until standard input ends. Raises ProtocolViolation."""
    reader = MessageReader()
    while data := os.read(0, READ_SIZE):
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
