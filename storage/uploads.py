"""The upload queue of one broadcast: bounded, in order, and never blocking live delivery.

Media are uploaded a few at a time, in the order of their submission. The upload of a text (playlist, manifest)
starts only after all media submitted before it are stored or lost, and the text is rendered at that moment: a
playlist never lists an object that is not durable. Waiting texts of one key are coalesced, but the first of them
keeps its place. If it moved behind the newest segment each time, a store slower than the media would never receive
a playlist.

Media that the store does not take within a moment go to the spool, if there is one.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

import structlog

from media.log_context import NO_CONTEXT, LogContext
from storage.backlog import Backlog
from storage.backoff import backoff_for
from storage.interface import ObjectStore, StorageError, StoreMisconfigured, StoreUnavailable
from storage.spool import Spool
from storage.upload_observer import UploadObserver

log = structlog.get_logger("storage")

T = TypeVar("T")

# Seconds after which media go to the spool.
SPOOL_AFTER_S = 2.0


@dataclass(eq=False, slots=True)
class _Media:
    """``body`` is None if it is in the spool only. ``spooled``: the spool has it, or is about to."""

    key: str
    body: bytes | None
    size: int
    required: bool
    since: float
    spooled: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True)
class _Text:
    """``after`` is the number of the last media object submitted before the text."""

    key: str
    render: Callable[[], Awaitable[bytes | None]]
    after: int
    since: float


class UploadQueue:
    """Uploads ``parallel`` media objects and one text at once. ``backlog`` bounds what all queues hold.

    For each media object, either ``on_stored`` or ``on_lost`` is called once, on the event loop. ``on_lost``
    receives the store's error, or None if the store is only too slow; it may be called from within ``put_media``.
    ``on_trouble`` is called with the error when puts start to fail or fail for another reason, and with None when
    they succeed again. ``observer`` gets each attempt. ``context`` is part of each log line. ``clock`` returns
    monotonic seconds.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        backlog: Backlog | None = None,
        parallel: int = 4,
        on_stored: Callable[[str], None],
        on_lost: Callable[[str, StorageError | None], None],
        on_trouble: Callable[[StorageError | None], None] = lambda _: None,
        observer: UploadObserver | None = None,
        context: LogContext = NO_CONTEXT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._backlog = backlog or Backlog()
        self._backlog.join(self)
        self._parallel = parallel
        self._on_stored = on_stored
        self._on_lost = on_lost
        self._on_trouble = on_trouble
        self._observer = observer
        self._log = log.bind(**context)
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._submitted = 0
        self._bytes = 0
        self.memory = 0
        self._to_spool: deque[_Media] = deque()
        self._spooling: asyncio.Task[None] | None = None
        self._unfinished: dict[int, _Media] = {}
        self._waiting: dict[int, _Media] = {}
        self._texts: list[_Text] = []
        self._text_in_flight: _Text | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        # Of files in the spool.
        self._deletions: set[asyncio.Task[None]] = set()
        self._trouble: StorageError | None = None
        self._failing: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._spool_fails = False
        self._closed = False

    @property
    def idle(self) -> bool:
        """Whether nothing is left to upload."""
        return self._idle.is_set()

    @property
    def pending_bytes(self) -> int:
        """The bytes of media that are not stored yet, including those in flight."""
        return self._bytes

    def oldest_age(self, now: float) -> float:
        """Seconds since the submission of the oldest object that is not stored; ``now`` is a time of ``clock``."""
        since = [media.since for media in _first(self._unfinished.values())]
        since += [text.since for text in _first(self._texts)]
        if self._text_in_flight is not None:
            since.append(self._text_in_flight.since)
        return max(0.0, now - min(since, default=now))

    def put_media(self, key: str, body: bytes) -> None:
        """Never blocks. A full backlog loses the oldest media that have not started."""
        self._submit(_Media(key, body, len(body), required=False, since=self._clock()))

    def put_spooled(self, key: str, size: int) -> None:
        """Upload media that an earlier process left in the spool."""
        self._submit(_Media(key, None, size, required=False, since=self._clock(), spooled=True))

    def put_init(self, key: str, body: bytes) -> None:
        """Like :meth:`put_media`, but a full backlog loses init segments last: media is useless without them."""
        self._submit(_Media(key, body, len(body), required=True, since=self._clock()))

    def put_text(self, key: str, render: Callable[[], Awaitable[bytes | None]]) -> None:
        """Never blocks. ``render`` is awaited immediately before each put, retries included; None means that there
        is nothing to put. It may list only objects that ``on_stored`` has reported. A newer text replaces the
        newest waiting text of its key, never the first one: texts of other keys keep their order between the
        two."""
        if self._closed:
            return
        text = _Text(key, render, self._submitted, self._clock())
        waiting = [index for index, other in enumerate(self._texts) if other.key == key]
        last = self._texts[-1] if self._texts else None
        if last is not None and last.key == key and last.after == text.after:
            self._texts[-1] = replace(text, since=last.since)
        else:
            if len(waiting) > 1:
                del self._texts[waiting[-1]]
            self._texts.append(text)
        self._idle.clear()
        self._start_uploads()

    async def drain(self, timeout: float | None = None) -> bool:
        """Wait for all uploads, up to ``timeout`` seconds or as long as it takes. Returns whether they finished."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def oldest(self, *, spooled: bool) -> float | None:
        return next((media.since for _, media in self._droppable(spooled)), None)

    def drop_oldest(self, *, spooled: bool) -> None:
        number, media = next(self._droppable(spooled))
        del self._waiting[number]
        self._complete(number, media)
        self._notify_lost(media.key)

    async def suspend(self) -> bool:
        """Stop, and leave what is not stored in the spool. Returns False if it has no room for all of it."""
        for media in self._unfinished.values():
            self._spool(media)
        while self._spooling is not None:
            await asyncio.wait((self._spooling,))
        kept = all(media.body is None for media in self._unfinished.values())
        for number, media in list(self._unfinished.items()):
            if media.body is None:
                del self._unfinished[number]
                self._bytes -= media.size
        await self.close()
        return kept

    async def close(self) -> None:
        """Stop at once. Objects that are not stored yet are lost."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._waiting.clear()
        self._texts.clear()
        lost = list(self._unfinished.items())
        for number, media in lost:
            self._complete(number, media)
        await asyncio.gather(*self._deletions)
        self._backlog.leave(self)
        self._idle.set()
        for _, media in lost:
            self._notify_lost(media.key)

    def _submit(self, media: _Media) -> None:
        if self._closed:
            self._notify_lost(media.key)
            return
        self._submitted += 1
        self._unfinished[self._submitted] = self._waiting[self._submitted] = media
        self._bytes += media.size
        if media.body is not None:
            self.memory += media.size
        self._idle.clear()
        self._spool_late()
        self._backlog.limit_memory()
        self._start_uploads()

    def _droppable(self, spooled: bool) -> Iterator[tuple[int, _Media]]:
        """The media that wait and are in the spool only, or in memory, oldest first; init segments last."""
        for required in (False, True):
            for number, media in self._waiting.items():
                if media.required == required and spooled == (media.body is None):
                    yield number, media

    def _complete(self, number: int, media: _Media) -> None:
        """Forget media that are stored or lost."""
        del self._unfinished[number]
        self._bytes -= media.size
        media.done = True
        self._free(media)
        spool = self._backlog.spool
        if spool is not None and media.key in spool:
            task = asyncio.create_task(self._await_deletion(spool.delete(media.key), media.key))
            self._deletions.add(task)
            task.add_done_callback(self._deletions.discard)

    def _free(self, media: _Media) -> None:
        if media.body is not None:
            self.memory -= media.size
            media.body = None

    def _spool_late(self) -> None:
        """Spool the media that the store has not taken in time; all of them while it fails."""
        before = self._clock() - SPOOL_AFTER_S
        for media in self._unfinished.values():
            if self._trouble is None and media.since > before:
                break
            self._spool(media)

    def _spool(self, media: _Media) -> None:
        if self._backlog.spool is None or media.spooled:
            return
        media.spooled = True
        self._to_spool.append(media)
        if self._spooling is None:
            self._spooling = asyncio.create_task(self._spool_in_order(self._backlog.spool))

    async def _spool_in_order(self, spool: Spool) -> None:
        try:
            while self._to_spool:
                await self._spool_one(spool, self._to_spool.popleft())
        finally:
            self._spooling = None

    async def _spool_one(self, spool: Spool, media: _Media) -> None:
        body = media.body
        if media.done or body is None:
            return
        try:
            if not self._backlog.make_room(media.size):
                raise StoreUnavailable(f"the spool {spool.root} is full")
            await spool.put(media.key, body)
            if self._observer is not None:
                self._observer.spooled(media.key)
        except StorageError as error:
            media.spooled = False
            if not self._spool_fails:
                self._log.error("media that wait for the store stay in memory", error=str(error))
            self._spool_fails = True
            return
        self._spool_fails = False
        if media.done:
            await self._await_deletion(spool.delete(media.key), media.key)
        else:
            self._free(media)

    async def _await_deletion(self, deletion: Awaitable[None], key: str) -> None:
        try:
            await deletion
        except StorageError as error:
            self._log.warning("a file stays in the spool", key=key, error=str(error))

    def _start_uploads(self) -> None:
        if self._closed:
            return
        while self._waiting and len(self._unfinished) - len(self._waiting) < self._parallel:
            number = next(iter(self._waiting))
            self._start(self._upload_media(number, self._waiting.pop(number)))
        if self._text_in_flight is None and self._texts and self._is_due(self._texts[0]):
            self._text_in_flight = self._texts.pop(0)
            self._start(self._upload_text(self._text_in_flight))
        if not self._unfinished and not self._texts and self._text_in_flight is None:
            self._idle.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _is_due(self, text: _Text) -> bool:
        return all(number > text.after for number in _first(self._unfinished))

    async def _upload_media(self, number: int, media: _Media) -> None:
        error = await self._put(media)
        self._complete(number, media)
        if error is None:
            self._notify(lambda: self._on_stored(media.key))
        else:
            self._notify(lambda: self._on_lost(media.key, error))
        self._start_uploads()

    async def _upload_text(self, text: _Text) -> None:
        await self._put(text)
        self._text_in_flight = None
        self._start_uploads()

    async def _put(self, upload: _Media | _Text) -> StorageError | None:
        """Try until the object is stored. Returns the error if another attempt cannot succeed."""
        failures = 0
        while True:
            error = await self._try(upload)
            if error is None:
                self._note_success(upload.key)
                return None
            if self._observer is not None:
                self._observer.failed(upload.key, error)
            self._note_failure(upload.key, error)
            if not error.retryable and not isinstance(error, StoreMisconfigured):
                self._failing.discard(upload.key)
                return error
            failures += 1
            await self._sleep(backoff_for(error).delay(failures, self._jitter()))

    async def _try(self, upload: _Media | _Text) -> StorageError | None:
        if self._observer is not None:
            self._observer.trying(upload.key)
        try:
            body = await (self._body(upload) if isinstance(upload, _Media) else upload.render())
        except StorageError as error:
            return error
        except Exception:
            self._log.exception("a playlist cannot be rendered", key=upload.key)
            return None
        if body is None:
            return None
        try:
            await self._store.put(upload.key, body)
        except StorageError as error:
            return error
        except Exception as error:
            self._log.exception("the store raised an undeclared error", key=upload.key)
            return StoreUnavailable(f"the store failed: {error!r}")
        if self._observer is not None:
            self._observer.put(upload.key)
        return None

    async def _body(self, media: _Media) -> bytes:
        if media.body is not None or self._backlog.spool is None:
            return media.body or b""
        return await self._backlog.spool.get(media.key)

    def _note_failure(self, key: str, error: StorageError) -> None:
        self._failing.add(key)
        previous, self._trouble = self._trouble, error
        if previous is None or previous.code != error.code:
            self._log.error("uploads fail", key=key, code=error.code, error=str(error))
            self._notify(lambda: self._on_trouble(error))
            self._spool_late()

    def _note_success(self, key: str) -> None:
        self._failing.discard(key)
        if self._trouble is not None and not self._failing:
            self._trouble = None
            self._log.info("uploads succeed again")
            self._notify(lambda: self._on_trouble(None))

    def _notify_lost(self, key: str) -> None:
        self._notify(lambda: self._on_lost(key, self._trouble))

    def _notify(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:
            self._log.exception("a callback of the upload queue failed")


def _first(values: Iterable[T]) -> list[T]:
    """At most the first of ``values``."""
    return list(islice(values, 1))
