"""A broadcast's pipeline without a store: source units pass the cutter and the tracks into a ledger."""

from collections.abc import Iterable
from fractions import Fraction

from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit, Kind
from packager.cmaf.cutter import Cutter, CutterOptions
from packager.cmaf.segment_writer import Init, Part, Segment
from tests.unit.packager.recording import ZERO_MS, audio_config, frame, sound, video_config
from worker.ledger import BroadcastLedger
from worker.track_set import TrackSet

FRAME = 3000
RATE = 48_000


class Sink:
    """Writes into the ledger as the recorder does; every segment is durable immediately."""

    def __init__(self, ledger: BroadcastLedger) -> None:
        self._ledger = ledger
        self.segments: list[Segment] = []

    def on_init(self, init: Init) -> None:
        self._ledger.add_init(init)

    def on_part(self, part: Part) -> None:
        self._ledger.add_part(part)

    def on_segment(self, segment: Segment) -> None:
        self._ledger.add_segment(segment)
        self.segments.append(segment)
        if not segment.entry.gap:
            self._ledger.tracks[segment.track].mark_resolved(segment.entry.msn)


class Line:
    """Two video tracks and audio. ``ledger`` is that of an earlier line to continue; ``gops`` are the numbers of
    frames per group of pictures, each of which becomes a segment."""

    def __init__(self, ledger: BroadcastLedger | None = None, gops: Iterable[int] = (60, 60, 60, 60)) -> None:
        if ledger is None:
            ledger = BroadcastLedger("studio", "20261121t104105z-abc123", ZERO_MS, part_ticks=10 * FRAME)
            for name in ("vsource", "v360p"):
                ledger.expect(name, Kind.VIDEO)
            ledger.expect("asource", Kind.AUDIO, default=True)
        self.ledger = ledger
        self.sink = Sink(ledger)
        self._gops = tuple(gops)
        self._cutter = Cutter(CutterOptions(), after=ledger.last_cut, longest=ledger.fixed_target)
        self._tracks = TrackSet(ledger, self.sink, unix_ns=lambda: 0)
        for name in ("vsource", "v360p"):
            self._tracks.video(name).configure(video_config(), Fraction(30))
        self._tracks.configure_audio("asource", audio_config(), silence_after=10 * S)

    def units(self) -> list[AccessUnit]:
        """The source: video and audio, interleaved by time."""
        units: list[AccessUnit] = []
        number = sounds = 0
        for gop in self._gops:
            for place in range(gop):
                dts = number * FRAME
                while sounds * 1024 * S <= dts * RATE:
                    units.append(sound(sounds * 1024, size=8 + sounds % 5))
                    sounds += 1
                units.append(frame(dts, key=place == 0, size=10 + number % 7))
                number += 1
        return units

    def feed(self, units: Iterable[AccessUnit]) -> None:
        for unit in units:
            if unit.kind is Kind.AUDIO:
                self.ledger.end = max(self.ledger.end, unit.dts * S // RATE)
                self._tracks.add_audio("asource", unit, alone=False)
                continue
            self.ledger.end = max(self.ledger.end, unit.dts)
            if (cut := self._cutter.video(unit)) is not None:
                self._tracks.cut(cut, self._cutter.next_cut, encoding=True)
            for name in ("vsource", "v360p"):
                self._tracks.add_video(name, unit)
            self._tracks.advance(unit.dts)

    def close(self) -> None:
        self._tracks.close(self._cutter.segment_end)
        self.ledger.finish()
