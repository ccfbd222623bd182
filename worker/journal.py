"""Writes what a ledger gains to the journal of its broadcast, from which a restarted server continues it."""

import asyncio

import structlog

from media.log_context import LogContext
from media.timescale import MILLISECONDS
from storage.interface import StorageError
from storage.journals import JournalFile
from worker.ledger import BroadcastLedger
from worker.ledger.journal import Course, JournalLines

log = structlog.get_logger("recorder")

# Seconds for which changes are collected, if no viewer can see them yet.
GATHER_S = 0.25
# A journal begins again with one complete line when it has this many bytes, and thrice those of its first line.
LONGEST_BYTES = 4 << 20


class Journal:
    """Writes one line at a time, in a thread. After a failure, the next line is a complete one."""

    def __init__(self, ledger: BroadcastLedger, file: JournalFile, context: LogContext) -> None:
        self.course = Course(ledger.zero_ms / MILLISECONDS)
        self._lines = JournalLines(ledger)
        self._file = file
        self._log = log.bind(**context)
        self._size: int | None = None
        self._first_size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._changed = False
        self._failed = False
        self._closed = False

    def note(self, *, at_once: bool = False) -> None:
        """The ledger has changed. ``at_once``: a viewer may see the change next."""
        if self._closed:
            return
        if at_once:
            self._write()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._write)

    async def close(self, *, delete: bool) -> None:
        """``delete``: the broadcast's end is in the store. Otherwise the journal is kept for the next start."""
        if not delete:
            self.note(at_once=True)
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        if delete:
            try:
                await self._file.delete()
            except StorageError as error:
                self._log.warning("a journal stays on the disk", error=str(error))

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._changed = True
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_lines())

    async def _write_lines(self) -> None:
        while self._changed:
            self._changed = False
            try:
                await self._write_line()
            except StorageError as error:
                self._size = None
                if not self._failed:
                    self._log.error(
                        "the journal cannot be written: a crash now would end the broadcast", error=str(error)
                    )
                self._failed = True
            else:
                self._failed = False

    async def _write_line(self) -> None:
        if self._size is None or self._size > max(LONGEST_BYTES, 3 * self._first_size):
            self._lines.restart()
            line = self._lines.next(self.course)
            await self._file.begin(line)
            self._size = self._first_size = len(line)
        else:
            line = self._lines.next(self.course)
            await self._file.append(line)
            self._size += len(line)
