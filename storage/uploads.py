"""The upload queue of one broadcast: bounded, in order, and never blocking live delivery.

Media are uploaded a few at a time, in the order of their submission. The upload of a text (playlist, manifest)
starts only after all media submitted before it are stored or lost, and the text is rendered at that moment: a
playlist never lists an object that is not durable. Waiting texts of one key are coalesced, but the first of them
keeps its place. If it moved behind the newest segment each time, a store slower than the media would never receive
a playlist.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

import structlog

from storage.backoff import backoff_for
from storage.interface import ObjectStore, StorageError, StoreMisconfigured, StoreUnavailable

log = structlog.get_logger("storage")

T = TypeVar("T")

MAX_BYTES = 64 << 20
MAX_OBJECTS = 4096


@dataclass(frozen=True, slots=True)
class _Media:
    key: str
    body: bytes
    required: bool
    since: float


@dataclass(frozen=True, slots=True)
class _Text:
    """``after`` is the number of the last media object submitted before the text."""

    key: str
    render: Callable[[], Awaitable[bytes | None]]
    after: int
    since: float


class UploadQueue:
    """Holds at most ``max_bytes`` of media; uploads ``parallel`` media objects and one text at once.

    For each media object, either ``on_stored`` or ``on_lost`` is called once, on the event loop. ``on_lost``
    receives the store's error, or None if the store is only too slow; it may be called from within ``put_media``.
    ``on_trouble`` is called with the error when puts start to fail or fail for another reason, and with None when
    they succeed again. ``clock`` returns monotonic seconds.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        max_bytes: int = MAX_BYTES,
        parallel: int = 4,
        on_stored: Callable[[str], None],
        on_lost: Callable[[str, StorageError | None], None],
        on_trouble: Callable[[StorageError | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._parallel = parallel
        self._on_stored = on_stored
        self._on_lost = on_lost
        self._on_trouble = on_trouble
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._submitted = 0
        self._bytes = 0
        self._unfinished: dict[int, _Media] = {}
        self._waiting: dict[int, _Media] = {}
        self._texts: list[_Text] = []
        self._text_in_flight: _Text | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._trouble: StorageError | None = None
        self._failing: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

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
        """Never blocks. A full queue loses the oldest media that have not started."""
        self._submit(key, body, required=False)

    def put_init(self, key: str, body: bytes) -> None:
        """Like :meth:`put_media`, but a full queue loses init segments last: without them, the media is useless."""
        self._submit(key, body, required=True)

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

    async def drain(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for all uploads. Returns whether they finished."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Stop at once. Objects that are not stored yet are lost."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        lost, self._unfinished = self._unfinished, {}
        self._waiting.clear()
        self._texts.clear()
        self._bytes = 0
        self._idle.set()
        for media in lost.values():
            self._notify_lost(media.key)

    def _submit(self, key: str, body: bytes, *, required: bool) -> None:
        if self._closed:
            self._notify_lost(key)
            return
        self._submitted += 1
        media = _Media(key, body, required, self._clock())
        self._unfinished[self._submitted] = self._waiting[self._submitted] = media
        self._bytes += len(body)
        self._idle.clear()
        while self._waiting and (self._bytes > self._max_bytes or len(self._unfinished) > MAX_OBJECTS):
            self._drop_oldest()
        self._start_uploads()

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
        del self._unfinished[number]
        self._bytes -= len(media.body)
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
            self._note_failure(upload.key, error)
            if not error.retryable and not isinstance(error, StoreMisconfigured):
                self._failing.discard(upload.key)
                return error
            failures += 1
            await self._sleep(backoff_for(error).delay(failures, self._jitter()))

    async def _try(self, upload: _Media | _Text) -> StorageError | None:
        try:
            body = upload.body if isinstance(upload, _Media) else await upload.render()
        except Exception:
            log.exception("a playlist cannot be rendered", key=upload.key)
            return None
        if body is None:
            return None
        try:
            await self._store.put(upload.key, body)
        except StorageError as error:
            return error
        except Exception as error:
            log.exception("the store raised an undeclared error", key=upload.key)
            return StoreUnavailable(f"the store failed: {error!r}")
        return None

    def _drop_oldest(self) -> None:
        number = next((n for n, media in self._waiting.items() if not media.required), next(iter(self._waiting)))
        media = self._waiting.pop(number)
        del self._unfinished[number]
        self._bytes -= len(media.body)
        self._notify_lost(media.key)

    def _note_failure(self, key: str, error: StorageError) -> None:
        self._failing.add(key)
        previous, self._trouble = self._trouble, error
        if previous is None or previous.code != error.code:
            log.error("uploads fail", key=key, code=error.code, error=str(error))
            self._notify(lambda: self._on_trouble(error))

    def _note_success(self, key: str) -> None:
        self._failing.discard(key)
        if self._trouble is not None and not self._failing:
            self._trouble = None
            log.info("uploads succeed again")
            self._notify(lambda: self._on_trouble(None))

    def _notify_lost(self, key: str) -> None:
        self._notify(lambda: self._on_lost(key, self._trouble))

    def _notify(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:
            log.exception("a callback of the upload queue failed")


def _first(values: Iterable[T]) -> list[T]:
    """At most the first of ``values``."""
    return list(islice(values, 1))
