"""A worker process and its three pipes, seen from the parent's event loop."""

import asyncio
import contextlib
import os
import signal
from typing import Protocol, cast

import structlog

from media.log_context import NO_CONTEXT, LogContext
from transcoder.errors import ProtocolViolation, WorkerUnavailable
from transcoder.limits import WorkerLimits
from transcoder.messages import Message
from transcoder.protocol import MessageReader
from transcoder.spawn import worker_command, worker_environment

log = structlog.get_logger("transcoder")

STDIN, STDERR = 0, 2
STDERR_TAIL = 4096
# What is written cannot be overtaken by a more urgent message, so this is less than a second of most sources.
WRITE_BUFFER = 64 * 1024


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

    def __init__(self, owner: ChildOwner, context: LogContext = NO_CONTEXT) -> None:
        self._owner = owner
        self._log = log.bind(**context)
        self._reader = MessageReader()
        self._stderr = b""
        # Why it was killed.
        self._killed: str | None = None
        self._paused = False
        self._stdin: asyncio.WriteTransport | None = None
        self._transport: asyncio.SubprocessTransport | None = None
        self._ended = asyncio.get_running_loop().create_future()

    @classmethod
    async def spawn(
        cls,
        module: str,
        owner: ChildOwner,
        limits: WorkerLimits,
        *,
        keep_pictures: bool = False,
        context: LogContext = NO_CONTEXT,
    ) -> "Child":
        """Run ``python -m module`` (``keep_pictures``: :func:`worker_environment`). Its end may be reported before
        this returns. ``context`` is part of each log line. Raises WorkerUnavailable."""
        command, environment = worker_command(module, limits), worker_environment(keep_pictures=keep_pictures)
        try:
            _, child = await asyncio.get_running_loop().subprocess_exec(
                lambda: cls(owner, context), *command, env=environment
            )
        except (OSError, RuntimeError) as error:
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
        if self._stdin is not None and not self._stdin.is_closing():
            self._stdin.write(data)

    def kill(self, reason: str) -> None:
        """Kill the process, and any process that it has started. The ``reason`` is for people."""
        if self._transport is None or self._ended.done() or self._transport.get_returncode() is not None:
            return
        self._killed = self._killed or reason
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # Until the child has set up its group, this finds no such group.
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            self._transport.kill()

    async def wait_ended(self) -> None:
        await asyncio.shield(self._ended)

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        stdin = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(STDIN))
        # A process that has ended already has closed it.
        if not stdin.is_closing():
            stdin.set_write_buffer_limits(high=WRITE_BUFFER)
            self._stdin = stdin

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._owner.writable()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == STDERR:
            self._stderr = (self._stderr + data)[-STDERR_TAIL:]
        elif self._killed is None:
            self._receive(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == STDIN:
            self._stdin = None

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._transport is not None
        text = self._describe(self._transport.get_returncode())
        if self._stderr:
            self._log.warning(
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
                    self._log.exception("a message from the transcoder was not handled", pid=self.pid)
        except ProtocolViolation as violation:
            self.kill(f"it sent a malformed message: {violation}")

    def _describe(self, status: int | None) -> str:
        if self._killed is not None:
            return f"it was killed, because {self._killed}"
        if status is not None and status < 0:
            with contextlib.suppress(ValueError):
                return f"it died of {signal.Signals(-status).name}"
        lines = self._stderr.decode(errors="replace").strip().splitlines()
        last_line = f": {lines[-1][:200]}" if lines else ""
        return f"it ended with exit code {status}{last_line}"
