"""Publishes the cases of many seeds to one server, several at once, beside a good stream, and judges each."""

import asyncio
import multiprocessing
import shutil
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import processes
from tests.lab.server import Server
from tests.torture import footage
from tests.torture.good import GoodStream
from tests.torture.oracle import Heard, judge
from tests.torture.publisher import perform
from tests.torture.seed import Case, Clips, make_case
from tests.torture.watch import Watch

CONFIG = """
[transcoder]
ladder = "source"
[rtmp]
reconnect_window = "3s"
"""
# A broadcast ends with the publisher, or after the reconnect window; then the store takes the rest.
END_S = 60.0
TROUBLE = ("Traceback", "[error", "[critical")
MAX_MEMORY = 700 << 20


@dataclass(frozen=True, slots=True)
class Result:
    case: Case
    failures: list[str]
    heard: Heard


class Runner:
    """``concurrent`` publishers at once. ``work`` is a folder for the clips."""

    def __init__(self, server: Server, work: Path, *, concurrent: int) -> None:
        self._server = server
        self._work = work
        self._concurrent = concurrent
        self._watch = Watch(server)
        self._log_size = 0
        work.mkdir(parents=True, exist_ok=True)
        self._clips = load_clips(work)

    async def run(self, seeds: Iterator[int], on_result: Callable[[Result], None]) -> list[str]:
        """Run the seeds until there are no more. Returns what is wrong besides the seeds' own failures."""
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as judges:
            async with (
                self._watching(),
                GoodStream(self._server, self._watch, self._work) as good,
                asyncio.TaskGroup() as group,
            ):
                for _ in range(self._concurrent):
                    group.create_task(self._take_turns(seeds, judges, on_result))
        return [*good.failures, *self._watch.failures_of_server, *self._server_failures()]

    async def _take_turns(
        self, seeds: Iterator[int], judges: ProcessPoolExecutor, on_result: Callable[[Result], None]
    ) -> None:
        for seed in seeds:
            on_result(await self._one(seed, judges))

    async def _one(self, seed: int, judges: ProcessPoolExecutor) -> Result:
        case, stream = make_case(seed, self._clips), f"seed-{seed}"
        server = self._server
        url = await asyncio.to_thread(server.create, stream, ladder=case.ladder)
        said = await perform(case.script, url, self._watch.refreshed)
        folder = server.data / "store" / "live" / stream
        ended = await self._watch.ended(stream, END_S)
        heard = Heard(self._watch.warnings(stream), said.words)
        loop = asyncio.get_running_loop()
        failures = await loop.run_in_executor(judges, judge_seed, seed, self._work, folder, heard)
        failures += self._watch.failures(stream)
        if not ended:
            failures.append(f"the broadcast did not end within {END_S:.0f} s")
        if said.cut_off and not said.words:
            failures.append("the server closed the connection without a word")
        if log := self._new_errors():
            failures.append(f"while it ran, the server logged: {log}")
        await asyncio.to_thread(server.delete, stream)
        self._watch.forget(stream)
        if not failures:
            shutil.rmtree(folder, ignore_errors=True)
        return Result(case, failures, heard)

    def _new_errors(self) -> str:
        """Errors in the server's log since the last call."""
        with (self._server.data / "server.log").open(errors="replace") as log:
            log.seek(self._log_size)
            text = log.read()
            self._log_size = log.tell()
        at = min((place for word in TROUBLE if (place := text.find(word)) >= 0), default=-1)
        return "" if at < 0 else text[max(0, at - 200) : at + 1500]

    def _server_failures(self) -> Iterator[str]:
        if self._server.process.poll() is not None:
            yield f"the server ended with code {self._server.process.returncode}"
            return
        with urllib.request.urlopen(f"{self._server.http}/readyz", timeout=10) as answer:
            if answer.status != 200:
                yield f"the server is not ready: {answer.status}"
        used = processes.memory(processes.tree(self._server.pid)).pss
        if used > MAX_MEMORY:
            yield f"the server uses {used >> 20} MiB"

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def load_clips(work: Path) -> Clips:
    return {clip: footage.load(footage.make(clip, work), clip) for clip in footage.CLIPS}


def judge_seed(seed: int, work: Path, folder: Path, heard: Heard) -> list[str]:
    """Judge the recording of a seed; in a process of its own, because FFmpeg's log is one for a process."""
    clips = load_clips(work)
    case = make_case(seed, clips)
    try:
        return judge(folder, case.script, clips[case.clip], heard)
    except Exception as error:
        return [f"the recording cannot be read: {error!r}"]
