"""Deletes recordings in the background: those that an operator deletes, those that a stream's retention does not
cover, and all of a stream that is purged."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from media.names import MANIFEST, broadcast_prefix, is_stream_name, stream_prefix
from storage.catalogue import BroadcastNotFound, Catalogue, StreamNotFound
from storage.catalogue.catalogue import broadcasts_prefix
from storage.catalogue.events import EventCode, FieldValue
from storage.catalogue.records import BroadcastRecord, Retention
from storage.documents import CorruptRecord
from storage.interface import ObjectNotFound, ObjectStore, StorageError, StoreMisconfigured
from storage.keeping.errors import BroadcastInUse, BroadcastKept
from storage.keeping.recordings import BroadcastName, Recording, Recordings, recording_of
from storage.keeping.removal import Hold, Removal, Removed
from storage.keeping.retention import Cause, Departure, PlayableFor, departures
from storage.keeping.usage import Space, Usage, usage_of

log = structlog.get_logger("keeping")

# Seconds from the start to the first sweep, and between looks at what is to be deleted.
FIRST_SWEEP_S = 60.0
LOOK_EVERY_S = 300.0
# If something could not be deleted: it is still in use, or the store fails.
RETRY_S = 5.0
USAGE_FRESH_S = 10.0
PARALLEL_MARKS = 8
# A broadcast without an end counts as interrupted if its manifest has not changed for this long: for the sweep, and
# for an operator. It may be on air on a server that only shares the store.
INTERRUPTED_AFTER_S = 86_400.0
QUIET_S = 600.0

InUse = Callable[[], Awaitable[Collection[BroadcastName]]]


@dataclass(frozen=True, slots=True)
class Policy:
    """``retention`` is for streams without their own; a sweep follows every ``every_s`` seconds."""

    retention: Retention
    playable: PlayableFor
    every_s: float


class KeepingObserver(Protocol):
    """Receives what was deleted."""

    def recording_deleted(self, recording: Recording, removed: Removed) -> None: ...

    def stream_purged(self, stream: str, removed: Removed) -> None: ...

    def objects_deleted(self, keys: Sequence[str]) -> None: ...


class Keeper:
    """``in_use`` returns the broadcasts that are on air, or that are not completely stored; ``clock`` returns Unix
    seconds. Methods raise StorageError, and what ``in_use`` raises."""

    def __init__(
        self,
        store: ObjectStore,
        catalogue: Catalogue,
        *,
        policy: Callable[[], Policy],
        in_use: InUse,
        hold: Hold,
        observer: KeepingObserver,
        space: Callable[[], Awaitable[Space | None]],
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._policy = policy
        self._in_use = in_use
        self._observer = observer
        self._space = space
        self._clock = clock
        self._monotonic = monotonic
        self._recordings = Recordings(store)
        self._removal = Removal(store, hold=hold, on_deleted=observer.objects_deleted, pause=pause)
        self._working = asyncio.Lock()
        self._wake = asyncio.Event()
        self._next_sweep = monotonic() + FIRST_SWEEP_S
        self._usage: tuple[float, Usage] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """What is being deleted is continued after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    @property
    def last_usage(self) -> Usage:
        """The last known use, without asking the store."""
        return self._usage[1] if self._usage is not None else Usage()

    async def usage(self) -> Usage:
        """A few seconds old at most."""
        if self._usage is None or self._monotonic() - self._usage[0] > USAGE_FRESH_S:
            await self._refresh()
        return self.last_usage

    async def keep(self, stream: str, broadcast: str, *, kept: bool) -> BroadcastRecord:
        """Mark the recording as kept, or not. Raises BroadcastNotFound."""

        def change(record: BroadcastRecord) -> BroadcastRecord:
            _require_present(record)
            return record.model_copy(update={"kept": kept})

        record = await self._catalogue.update_broadcast(stream, broadcast, change)
        code, text = (EventCode.KEPT, "kept") if kept else (EventCode.RELEASED, "kept no more")
        await self._note(BroadcastName(stream, broadcast), code, f"the recording is {text}")
        return record

    async def delete(self, stream: str, broadcast: str) -> Recording:
        """From now on the recording counts as deleted; its objects are removed in the background. Raises
        BroadcastNotFound, BroadcastInUse, BroadcastKept."""
        now = self._clock()
        found = recording_of(await self._catalogue.get_broadcast(stream, broadcast))
        in_use = await self._in_use()
        if found.name in in_use or await self._end_of(found, QUIET_S, now) is None:
            raise BroadcastInUse(
                f"{broadcast} is on air, or not completely stored: end it first (`headwater kill {stream}`)"
            )

        def change(record: BroadcastRecord) -> BroadcastRecord:
            _require_present(record)
            if record.kept:
                raise BroadcastKept(f"{broadcast} is kept: release it first")
            return record.model_copy(update={"deleted_at": now, "deleted_for": Cause.REQUEST.value})

        marked = await self._catalogue.update_broadcast(stream, broadcast, change)
        await self._note_deletion(found.name, Cause.REQUEST)
        self._wake.set()
        return recording_of(marked)

    async def sweep(self, *, dry_run: bool = False) -> list[Departure]:
        """Mark what the retentions do not cover as deleted, and return it. ``dry_run`` only returns it."""
        chosen = await self._choose()
        if not dry_run:
            gate = asyncio.Semaphore(PARALLEL_MARKS)
            marked = await asyncio.gather(*(self._mark(each, gate) for each in chosen))
            chosen = [each for each, done in zip(chosen, marked, strict=True) if done]
            self._wake.set()
        return chosen

    async def begin_purge(self, stream: str) -> None:
        """Delete everything of the stream, once its broadcast has ended. Delete the stream itself next. Raises
        StreamNotFound if the store has nothing of it."""
        if not await self._exists(stream):
            raise StreamNotFound(f"there is no stream {stream[:80]}, and no recording of it")
        await self._catalogue.begin_purge(stream, now=self._clock())
        self._wake.set()

    async def work(self) -> bool:
        """Delete what is to be deleted. Returns whether something is left, because it is in use."""
        async with self._working:
            if self._monotonic() >= self._next_sweep:
                self._next_sweep = self._monotonic() + self._policy().every_s
                await self.sweep()
            self._wake.clear()
            in_use = await self._in_use()
            recordings = await self._refresh()
            waiting = await self._remove_marked(recordings, in_use)
            waiting |= await self._remove_purged(recordings, in_use)
            return waiting

    async def _run(self) -> None:
        while True:
            delay = RETRY_S
            try:
                if not await self.work():
                    delay = min(LOOK_EVERY_S, max(0.0, self._next_sweep - self._monotonic()))
            except StorageError as error:
                log.warning("recordings cannot be deleted now", error=str(error))
            except Exception:
                log.exception("recordings cannot be deleted")
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._wake.wait()

    async def _refresh(self) -> list[Recording]:
        recordings = await self._recordings.refresh()
        self._usage = (self._monotonic(), usage_of(recordings, await self._space()))
        return recordings

    async def _choose(self) -> list[Departure]:
        now, policy = self._clock(), self._policy()
        recordings = await self._refresh()
        # After the records: what goes on air from now on has no record yet.
        in_use = await self._in_use()
        retentions = {record.stream: record.settings.retention for record in await self._catalogue.list_streams()}
        for stream in {each.stream for each in recordings} - retentions.keys():
            retentions[stream] = await self._retention(stream)
        ended = [
            each
            if each.ended_at is not None or each.name in in_use
            else replace(each, ended_at=await self._end_of(each, INTERRUPTED_AFTER_S, now))
            for each in recordings
        ]
        return departures(
            ended,
            retention=lambda stream: retentions[stream] or policy.retention,
            in_use=in_use,
            playable=policy.playable,
            now=now,
        )

    async def _retention(self, stream: str) -> Retention | None:
        """That of a stream that is not listed: None, for the server's, if there is no such stream. If its record is
        damaged, everything stays."""
        try:
            return (await self._catalogue.get_stream(stream)).settings.retention
        except StreamNotFound:
            return None
        except CorruptRecord:
            return Retention()

    async def _end_of(self, recording: Recording, quiet_s: float, now: float) -> float | None:
        """When the recording ended; if that was never recorded, when its manifest last changed, or None if that is
        less than ``quiet_s`` seconds ago."""
        if recording.ended_at is not None:
            return recording.ended_at
        try:
            info = await self._store.head(f"{broadcast_prefix(*recording.name)}/{MANIFEST}")
            changed = max(info.modified, recording.started_at)
        except ObjectNotFound:
            changed = recording.started_at
        return changed if now - changed > quiet_s else None

    async def _mark(self, departure: Departure, gate: asyncio.Semaphore) -> bool:
        """False if somebody keeps it, or deletes it, at this moment."""
        async with gate:
            return await self._mark_now(departure)

    async def _mark_now(self, departure: Departure) -> bool:
        now, marked = self._clock(), False

        def change(record: BroadcastRecord) -> BroadcastRecord:
            nonlocal marked
            marked = not record.kept and record.deleted_at is None
            update = {"deleted_at": now, "deleted_for": departure.cause.value}
            return record.model_copy(update=update) if marked else record

        try:
            await self._catalogue.update_broadcast(*departure.recording.name, change)
        except BroadcastNotFound:
            return False
        if marked:
            await self._note_deletion(departure.recording.name, departure.cause)
        return marked

    async def _note_deletion(self, name: BroadcastName, cause: Cause) -> None:
        await self._note(name, EventCode.DELETED, f"the recording is deleted ({cause})", cause=cause.value)

    async def _note(self, name: BroadcastName, code: EventCode, text: str, **fields: FieldValue) -> None:
        """Add to the event log, which is not worth a failure of what has been done."""
        try:
            await self._catalogue.add_event(*name, code, text, now=self._clock(), fields=fields)
        except StorageError as error:
            log.info("an event was not stored", **name._asdict(), code=code.value, error=str(error))

    async def _remove_marked(self, recordings: Sequence[Recording], in_use: Collection[BroadcastName]) -> bool:
        waiting = False
        for recording in recordings:
            if recording.deleted_at is None:
                continue
            if recording.name in in_use:
                waiting = True
                continue
            try:
                removed = await self._removal.remove_broadcast(*recording.name)
            except StoreMisconfigured as error:
                # Others may be removed.
                log.error("a recording cannot be deleted", **recording.name._asdict(), error=str(error))
                continue
            log.info(
                "a recording is deleted",
                **recording.name._asdict(),
                cause=recording.deleted_for,
                objects=removed.objects,
                bytes=removed.bytes,
            )
            self._observer.recording_deleted(recording, removed)
        return waiting

    async def _remove_purged(self, recordings: Sequence[Recording], in_use: Collection[BroadcastName]) -> bool:
        waiting, now = False, self._clock()
        for purge in await self._catalogue.purges():
            with suppress(StreamNotFound):
                await self._catalogue.delete_stream(purge.stream)
            ends = [await self._end_of(each, QUIET_S, now) for each in recordings if each.stream == purge.stream]
            if None in ends or any(name.stream == purge.stream for name in in_use):
                waiting = True
                continue
            try:
                removed = await self._removal.remove_stream(purge.stream)
            except StoreMisconfigured as error:
                log.error("a stream cannot be purged", stream=purge.stream, error=str(error))
                continue
            await self._catalogue.end_purge(purge.stream)
            log.info("a stream is purged", stream=purge.stream, objects=removed.objects, bytes=removed.bytes)
            self._observer.stream_purged(purge.stream, removed)
        return waiting

    async def _exists(self, stream: str) -> bool:
        if not is_stream_name(stream):
            return False
        with suppress(StreamNotFound):
            await self._catalogue.get_stream(stream)
            return True
        for prefix in (broadcasts_prefix(stream), f"{stream_prefix(stream)}/"):
            async for _ in self._store.list(prefix):
                return True
        return False


def _require_present(record: BroadcastRecord) -> None:
    """Raises BroadcastNotFound."""
    if record.deleted_at is not None:
        raise BroadcastNotFound(f"{record.stream} has no broadcast {record.broadcast}: it is deleted")
