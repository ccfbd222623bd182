"""Rungs that are shed, that return, or that the budget leaves out: tracks, playlists and warnings."""

from collections.abc import Iterator
from functools import partial

import pytest
from pytest import MonkeyPatch

from live.bus import Bus
from live.messages import LiveMessage
from live.topics import MEDIA, BroadcastRef
from live.window import LiveWindow
from media.ladder import Rung
from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit
from packager.cmaf.cutter import CutterOptions
from telemetry.metrics import Metrics
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import ZERO_MS, frames, video_config
from tests.unit.worker.fakes import FakeChildren
from transcoder.ladder import Rendition
from transcoder.options import TranscodeOptions
from worker.broadcast import Broadcast
from worker.broadcast_options import BroadcastOptions
from worker.encoding.errors import NoEncodingRoom
from worker.encoding.node import NodeEncoding
from worker.recorder import Recorder, RecorderOptions
from worker.transcoding import Transcoding

LADDER = (Rung(32, 400_000), Rung(16, 150_000))
HIGH, LOW = "v32p", "v16p"
# Luma samples per second of the source's rungs at 30 frames a second.
HIGH_RATE, LOW_RATE = 32 * 32 * 30, 16 * 16 * 30


async def at_once(seconds: float) -> None:
    """A replacement of a child waits for nothing."""


@pytest.fixture
def children(monkeypatch: MonkeyPatch) -> FakeChildren:
    children = FakeChildren()
    monkeypatch.setattr("worker.broadcast.Transcoding", partial(Transcoding, start=children.start, sleep=at_once))
    return children


class Bench:
    """A broadcast of 64 lines at 30 frames a second, whose transcoder the test plays."""

    def __init__(self, children: FakeChildren, node: NodeEncoding | None = None, name: str = "a") -> None:
        self.children = children
        self.now = 1000.0
        self.sheds: list[tuple[str, str]] = []
        self.node = node or NodeEncoding(on_shed=lambda stream, track: self.sheds.append((stream, track)))
        self.sent = 0
        self.window = LiveWindow("s", name)
        bus = Bus()
        bus.subscribe(MEDIA, self._on_message)
        options = RecorderOptions()
        self.recorder = Recorder(
            options.new_ledger("s", name, ZERO_MS),
            bus=bus,
            store=MemoryStore(),
            observer=Metrics().of_stream("s"),
            clock=lambda: 0.0,
            options=options,
        )
        self.broadcast = Broadcast(
            self.recorder,
            BroadcastOptions(
                CutterOptions(), S // 3, low_latency=True, ladder=LADDER, transcode=TranscodeOptions()
            ),
            clock=lambda: self.now,
            unix_ns=lambda: round(self.now * 1e9),
            on_keyframe=lambda config, unit: None,
            encoding=self.node,
        )
        self.broadcast.attach()

    def _on_message(self, ref: BroadcastRef, message: LiveMessage) -> None:
        self.window.receive(message)

    def units(self, seconds: int) -> Iterator[AccessUnit]:
        for unit in frames((self.sent + seconds) * 30):
            if unit.dts >= self.sent * S:
                yield unit
        self.sent += seconds

    async def send(self, seconds: int, *encoded: str) -> None:
        """Send ``seconds`` of the source; the child's rungs ``encoded`` follow."""
        for unit in self.units(seconds):
            self.broadcast.on_unit(unit)
            await run_until_idle()
            for track in encoded:
                self.children.last.produce(track, unit)
            if unit.dts % S == 0:
                self.now += 1
                self.broadcast.tick(self.now, self.now)

    async def start(self, *encoded: str) -> None:
        """Send four seconds, which the child encodes from the first on."""
        self.broadcast.on_config(video_config())
        units = list(self.units(4))
        for unit in units:
            self.broadcast.on_unit(unit)
            await run_until_idle()
        for track in encoded:
            self.children.last.produce_config(track, video_config())
            for unit in units:
                self.children.last.produce(track, unit)

    def gaps(self, track: str) -> list[bool]:
        return [entry.gap for entry in self.recorder.ledger.tracks[track].entries]

    @property
    def listed(self) -> set[str]:
        """The renditions in the live multivariant playlist."""
        facts = self.recorder.ledger.live_facts()
        return {track.track for track in facts.tracks if not track.retired and track.config is not None}

    @property
    def warnings(self) -> dict[str, str]:
        return {warning.code: warning.text for warning in self.broadcast.advice.warnings.status(self.now)}


async def test_a_rung_is_shed_when_encoding_stays_behind(children: FakeChildren) -> None:
    bench = Bench(children)
    await bench.start(HIGH, LOW)
    assert bench.listed == {"vsource", HIGH, LOW}
    children.last.behind = 3 * S
    await bench.send(5, HIGH, LOW)
    assert children.last.selected == [frozenset({LOW})]
    assert bench.sheds == [("s", HIGH)]
    assert bench.listed == {"vsource", LOW}
    assert HIGH in bench.warnings["rungs-shed"] and LOW not in bench.warnings["rungs-shed"]


async def test_the_segments_of_a_shed_rung_are_gaps_from_its_last_cut_on(children: FakeChildren) -> None:
    bench = Bench(children)
    await bench.start(HIGH, LOW)
    bench.broadcast.ladder.shed(HIGH, bench.now)
    await bench.send(2, HIGH, LOW)
    assert bench.gaps(HIGH) == [False, False]
    children.last.stopped(HIGH)
    await bench.send(4, LOW)
    assert bench.gaps(HIGH) == [False, False, False, True, True]
    assert not any(bench.gaps(LOW))
    assert not any(bench.gaps("vsource"))


async def test_a_rung_returns_at_the_next_cut_and_is_listed_after_its_first_segment(children: FakeChildren) -> None:
    bench = Bench(children)
    await bench.start(HIGH, LOW)
    bench.broadcast.ladder.shed(HIGH, bench.now)
    children.last.stopped(HIGH)
    await bench.send(4, LOW)
    before = len(bench.gaps(HIGH))
    bench.broadcast.ladder.restore(HIGH, bench.now)
    assert children.last.selected[-1] == {HIGH, LOW}
    assert HIGH not in bench.listed
    children.last.produce_config(HIGH, video_config())
    await bench.send(4, HIGH, LOW)
    assert HIGH in bench.listed
    assert bench.gaps(HIGH)[before:] and not any(bench.gaps(HIGH)[before:])
    assert "has just returned" in bench.warnings["rungs-shed"]


async def test_a_replacement_of_a_child_does_not_encode_what_is_shed(children: FakeChildren) -> None:
    bench = Bench(children)
    await bench.start(HIGH, LOW)
    bench.broadcast.ladder.shed(HIGH, bench.now)
    children.last.die()
    await bench.send(6)
    assert len(children.started) == 2
    assert children.last.job.selected == {LOW}
    assert bench.gaps(HIGH)[-2:] == [True, True]


async def test_the_budget_leaves_out_the_largest_rungs_with_a_warning(children: FakeChildren) -> None:
    bench = Bench(children, NodeEncoding(HIGH_RATE))
    await bench.start(LOW)
    await bench.send(2, LOW)
    assert children.last.job.selected == {LOW}
    assert bench.listed == {"vsource", LOW}
    assert HIGH in bench.warnings["ladder-reduced"]
    assert HIGH not in bench.recorder.ledger.tracks
    assert bench.recorder.ledger.playable


async def test_a_source_that_is_passed_through_needs_no_rung(children: FakeChildren) -> None:
    bench = Bench(children, NodeEncoding(1, refuses=True))
    await bench.start()
    await bench.send(2)
    assert children.attempts == 0
    assert bench.listed == {"vsource"}


async def test_a_rung_that_was_left_out_is_encoded_when_another_broadcast_ends(children: FakeChildren) -> None:
    node = NodeEncoding(HIGH_RATE + 2 * LOW_RATE)
    first = Bench(children, node, "a")
    await first.start(HIGH, LOW)
    second = Bench(children, node, "b")
    await second.start(LOW)
    assert children.last.job.selected == {LOW}
    first.broadcast.ladder.close()
    await second.send(2, LOW)
    assert children.last.selected[-1] == {HIGH, LOW}
    children.last.produce_config(HIGH, video_config())
    await second.send(6, HIGH, LOW)
    assert HIGH in second.listed
    assert "ladder-reduced" not in second.warnings


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_source_that_must_be_encoded_is_refused_or_gets_its_smallest_rung(
    children: FakeChildren, refuses: bool
) -> None:
    bench = Bench(children, NodeEncoding(1, refuses=refuses))
    rungs = (Rendition(HIGH, 32, 32, 1, 1, 1, 1), Rendition(LOW, 16, 16, 1, 1, 1, 1))
    if refuses:
        with pytest.raises(NoEncodingRoom, match="no room to encode this stream"):
            bench.broadcast.ladder.plan(rungs, None, passes_video=False)
    else:
        bench.broadcast.ladder.plan(rungs, None, passes_video=False)
        assert bench.broadcast.ladder.off == {HIGH}
