"""A worker process and its three pipes, seen from the parent's event loop."""

import asyncio
import contextlib
import signal
from typing import Protocol, cast

import structlog

from transcoder.errors import ProtocolViolation, WorkerUnavailable
from transcoder.messages import Message
from transcoder.protocol import MessageReader
from transcoder.spawn import worker_command, worker_environment

log = structlog.get_logger("transcoder")

STDIN, STDERR = 0, 2
STDERR_TAIL = 4096
WRITE_BUFFER = 256 * 1024


class ChildOwner(Protocol):
    """Receives a child's messages and its end. Called on the event loop's thread; must not block."""

    def message_received(self, message: Message) -> None: ...

    def writable(self) -> None:
        """The pipe to the child has room again."""
        ...

    def child_ended(self, text: str) -> None:
        """Called once, after the last message. ``text`` describes the end for people."""
        ...


class Child(asyncio.SubprocessProtocol):
    """One process, created by :meth:`spawn`."""

    def __init__(self, owner: ChildOwner) -> None:
        self._owner = owner
        self._reader = MessageReader()
        self._stderr = b""
        self._violation: ProtocolViolation | None = None
        self._paused = False
        self._stdin: asyncio.WriteTransport | None = None
        self._transport: asyncio.SubprocessTransport | None = None
        self._ended = asyncio.get_running_loop().create_future()

    @classmethod
    async def spawn(cls, module: str, owner: ChildOwner, *, keep_pictures: bool = False) -> "Child":
        """Run ``python -m module`` (``keep_pictures``: :func:`worker_environment`). Raises WorkerUnavailable."""
        try:
            _, child = await asyncio.get_running_loop().subprocess_exec(
                lambda: cls(owner), *worker_command(module), env=worker_environment(keep_pictures=keep_pictures)
            )
        except OSError as error:
            raise WorkerUnavailable(f"{module} cannot be started: {error}") from error
        return child

    @property
    def pid(self) -> int:
        assert self._transport is not None
        return self._transport.get_pid()

    @property
    def can_write(self) -> bool:
        """False while the pipe is full; further writes are buffered in memory."""
        return not self._paused

    def write(self, data: bytes) -> None:
        """Discards ``data`` if the child is gone: :meth:`ChildOwner.child_ended` follows."""
        if self._stdin is not None:
            self._stdin.write(data)

    def kill(self) -> None:
        if self._transport is not None and not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()

    async def wait_ended(self) -> None:
        await asyncio.shield(self._ended)

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._stdin = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(STDIN))
        self._stdin.set_write_buffer_limits(high=WRITE_BUFFER)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._owner.writable()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == STDERR:
            self._stderr = (self._stderr + data)[-STDERR_TAIL:]
        elif self._violation is None:
            self._receive(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == STDIN:
            self._stdin = None

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._transport is not None
        text = self._describe(self._transport.get_returncode())
        if self._stderr:
            log.warning(
                "the process wrote to standard error", pid=self.pid, text=self._stderr.decode(errors="replace")
            )
        self._transport.close()
        self._stdin = None
        self._ended.set_result(None)
        self._owner.child_ended(text)

    def _receive(self, data: bytes) -> None:
        self._reader.receive_data(data)
        try:
            for message in self._reader.messages():
                try:
                    self._owner.message_received(message)
                except Exception:
                    log.exception("a message from the transcoder was not handled", pid=self.pid)
        except ProtocolViolation as violation:
            self._violation = violation
            self.kill()

    def _describe(self, status: int | None) -> str:
        if self._violation is not None:
            return f"it was killed because it sent a malformed message: {self._violation}"
        if status is not None and status < 0:
            with contextlib.suppress(ValueError):
                return f"it died of {signal.Signals(-status).name}"
        lines = self._stderr.decode(errors="replace").strip().splitlines()
        last_line = f": {lines[-1][:200]}" if lines else ""
        return f"it ended with exit code {status}{last_line}"
