"""Runs rows of the table against one server, a few at a time."""

import itertools
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser

from tests.interop.counting import decode
from tests.interop.outcome import PUBLISHED_S, Decoded, Format
from tests.interop.publishers import Target
from tests.interop.readers import Source, Workspace
from tests.interop.stage import Stage, staged
from tests.interop.table import FAULTS, Fault, PublisherRow, ReaderRow, Row
from tests.lab.browser import chromium
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.waiting import until

LANES = 3
# Below that of the server's transcoder.
NICE = 15
DECODE_S = 40.0
PUBLISHED_SHARE = 0.9
ENDED_S = 20.0
NOTHING = Decoded(0, 0.0)


@dataclass(frozen=True, slots=True)
class Result:
    """``missing`` names a program that is not installed. ``words`` are those of a refused publisher."""

    row: Row
    decoded: Decoded = NOTHING
    missing: str | None = None
    words: str = ""

    @property
    def worked(self) -> bool:
        match self.row:
            case ReaderRow(_, case):
                return self.decoded.covers(case.needed_s)
            case PublisherRow(publisher) if publisher.refused:
                return bool(self.words) and self.decoded.pictures == 0
            case PublisherRow():
                return self.decoded.covers(PUBLISHED_S * PUBLISHED_SHARE)

    @property
    def acceptable(self) -> bool:
        """Whether it worked, or failed by the reader's own fault."""
        return self.worked or (self.fault is not None and self.missing is None)

    @property
    def fault(self) -> Fault | None:
        """The reader's own fault, if one is known."""
        return FAULTS.get((self.row.reader.name, self.row.case)) if isinstance(self.row, ReaderRow) else None


class Lane:
    """One row at a time, in a thread of its own. It opens Chromium when the first row needs it."""

    def __init__(self, stage: Stage, directory: Path, numbers: Iterator[int]) -> None:
        self._stage = stage
        self._directory = directory
        self._numbers = numbers
        self._stack = ExitStack()
        self._browser: Browser | None = None

    def __enter__(self) -> "Lane":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, row: Row) -> Result:
        subject = row.reader if isinstance(row, ReaderRow) else row.publisher
        missing = subject.missing()
        if missing is not None:
            return Result(row, missing=missing)
        directory = self._directory / f"row-{next(self._numbers)}"
        directory.mkdir()
        return self._read(row, directory) if isinstance(row, ReaderRow) else self._publish(row, directory)

    def _read(self, row: ReaderRow, directory: Path) -> Result:
        self._stage.wait_for(row.case.kind)
        source = Source(self._stage.url(row.case), row.case)
        return Result(row, row.reader.read(source, Workspace(directory, self._open_browser)))

    def _publish(self, row: PublisherRow, directory: Path) -> Result:
        stream = f"published-in-{directory.name}"
        rtmp, _, key = self._stage.server.create(stream).rpartition("/")
        row.publisher.publish(Target(rtmp, key, self._stage.clip, directory))
        if row.publisher.refused:
            return Result(row, words=self._words(stream))
        until(partial(self._stage.is_over, stream), timeout=ENDED_S)
        address = self._stage.address(stream, Format.HLS)
        return Result(row, decode(ffmpeg_path(), address, directory / "count", within_s=DECODE_S))

    def _words(self, stream: str) -> str:
        return next((text for text in self._stage.log_of(stream) if "not supported" in text), "")

    def _open_browser(self) -> Browser:
        if self._browser is None:
            self._browser = self._stack.enter_context(chromium())
        return self._browser


def run(rows: Iterable[Row], report: Callable[[Result], None] = lambda result: None) -> list[Result]:
    """The results of ``rows``, in their order. ``report`` gets each as it arrives. Raises LabError."""
    ordered = list(rows)
    waiting: queue.SimpleQueue[Row] = queue.SimpleQueue()
    for row in ordered:
        waiting.put(row)
    results: dict[str, Result] = {}
    with _workplace() as directory, staged(directory) as stage:
        numbers = itertools.count(1)
        arguments = (stage, directory, numbers, waiting, results, report)
        lanes = [threading.Thread(target=_work, args=arguments) for _ in range(LANES)]
        for lane in lanes:
            lane.start()
        try:
            for lane in lanes:
                lane.join()
        finally:
            # After an interruption, lanes finish the row that they are at.
            _drain(waiting)
            for lane in lanes:
                lane.join()
    return [results[str(row)] for row in ordered]


@contextmanager
def _workplace() -> Iterator[Path]:
    """A directory that VLC may enter, which runs as another user."""
    with tempfile.TemporaryDirectory(prefix="headwater-interop-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


def _work(
    stage: Stage,
    directory: Path,
    numbers: Iterator[int],
    waiting: "queue.SimpleQueue[Row]",
    results: dict[str, Result],
    report: Callable[[Result], None],
) -> None:
    # Children inherit the priority of their thread. The server and its broadcaster come first.
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    with Lane(stage, directory, numbers) as lane:
        while True:
            try:
                row = waiting.get_nowait()
            except queue.Empty:
                return
            result = _attempt(lane, row)
            if not result.acceptable and result.missing is None:
                result = _attempt(lane, row)
            results[str(row)] = result
            report(result)


def _drain(waiting: "queue.SimpleQueue[Row]") -> None:
    with suppress(queue.Empty):
        while True:
            waiting.get_nowait()


def _attempt(lane: Lane, row: Row) -> Result:
    """The result of one try. A busy machine can stop any reader for seconds, so a row has two."""
    try:
        return lane.run(row)
    except Exception as error:
        return Result(row, Decoded(0, 0.0, log=f"{type(error).__name__}: {error}"))
