"""The rungs of one broadcast: which are encoded now, which the budget leaves out, and which are shed.

A rung that is not encoded has gaps in its playlist and is not in the live multivariant playlist. Its encoder ends
at a cut. When it returns, it is listed again after its first segment.
"""

from collections.abc import Container
from fractions import Fraction

import structlog

from media.units import Kind
from storage.catalogue.events import EventCode
from transcoder.ladder import Rendition, pixel_rate
from worker.encoding.advice import EncodingAdvice
from worker.encoding.errors import NoEncodingRoom
from worker.encoding.node import NodeEncoding
from worker.encoding.policy import TRIAL_S, Load
from worker.event_log import EventSink
from worker.recorder import Recorder
from worker.track_set import TrackSet
from worker.transcoding import Transcoding

log = structlog.get_logger("encoding")


class BroadcastLadder:
    """A :class:`worker.encoding.node.SheddableLadder`. Times are monotonic seconds."""

    def __init__(
        self,
        node: NodeEncoding,
        recorder: Recorder,
        tracks: TrackSet,
        transcoding: Transcoding,
        advice: EncodingAdvice,
        events: EventSink,
    ) -> None:
        self._node = node
        self._recorder = recorder
        self._ledger = recorder.ledger
        self._tracks = tracks
        self._transcoding = transcoding
        self._advice = advice
        self._events = events
        self._log = log.bind(**recorder.log_context)
        # Luma samples per second by track, most expensive first.
        self._rates: dict[str, int] = {}
        self._passes_video = False
        self._left_out: frozenset[str] = frozenset()
        # Since when each rung is shed, and when each returned that may be shed again.
        self._shed: dict[str, float] = {}
        self._returned: dict[str, float] = {}
        # Rungs whose encoder has not ended yet, and those whose first segment is not complete yet.
        self._stopping: set[str] = set()
        self._starting: set[str] = set()

    @property
    def off(self) -> frozenset[str]:
        """The tracks of the rungs that are not encoded."""
        return self._left_out.union(self._shed)

    @property
    def shed_count(self) -> int:
        return len(self._shed)

    def plan(self, rungs: tuple[Rendition, ...], frame_rate: Fraction | None, *, passes_video: bool) -> None:
        """Take the rungs of a source that is new or changed. Raises NoEncodingRoom."""
        rates = {rung.track: pixel_rate(rung, frame_rate) for rung in rungs}
        self._rates, self._passes_video = rates, passes_video
        fitting = self._node.budget.reserve(self._ledger.broadcast, rates)
        if not rates:
            self._node.leave(self._ledger.broadcast)
        if rates and not fitting and not passes_video:
            if self._node.refuses:
                raise NoEncodingRoom(
                    "the server has no room to encode this stream, and viewers cannot play it as it is: send H.264 "
                    "with 8 bits, 4:2:0 and a keyframe interval of 2 s, which need not be encoded, or try later"
                )
            fitting = frozenset({min(rates, key=lambda track: rates[track])})
        self._left_out = frozenset(rates.keys() - fitting)
        self._shed = {track: since for track, since in self._shed.items() if track in fitting}
        if self._shed and not passes_video and self._shed.keys() == fitting:
            self._shed.popitem()
        self._returned.clear()
        self._stopping.clear()
        self._starting.clear()
        for track in self._selected():
            self._tracks.resume(track)

    def review(self, now: float) -> None:
        """Measure, and review the warnings. Call it about once a second."""
        behind_s, dropped = self._transcoding.behind_s, self._transcoding.dropped
        self._list_started()
        if self._left_out:
            self._use_room()
        if self._rates:
            changing = bool(self._stopping or self._starting)
            load = Load(behind_s, dropped, self._sheddable(), self._rates_of(self._shed), changing)
            self._node.review(self._ledger.broadcast, self, load, now)
        self._returned = {track: at for track, at in self._returned.items() if now - at < TRIAL_S}
        self._advice.on_behind(behind_s, now)
        self._advice.on_shed(self._shed, self._returned, now)
        left_out = [track for track in self._rates if track in self._left_out]
        self._advice.on_left_out(left_out, self._node.budget.limit, now)

    def shed(self, track: str, now: float) -> None:
        self._shed[track] = now
        self._returned.pop(track, None)
        self._starting.discard(track)
        self._stopping.add(track)
        self._recorder.retire_renditions([name for name in self._ledger.tracks if name not in self.off])
        self._transcoding.select(self._selected())
        self._node.on_shed(self._ledger.stream, track)
        behind_s = round(self._transcoding.behind_s, 1)
        text = f"{track} is off, because encoding is {behind_s:.1f} s behind real time: the machine is too slow"
        self._events.add(EventCode.RUNG_SHED, text, track=track, behind_s=behind_s)
        self._log.warning("a rung is shed", track=track, behind_s=behind_s)

    def restore(self, track: str, now: float) -> None:
        shed_s = now - self._shed.pop(track)
        self._returned[track] = now
        self._begin(track)
        self._events.add(EventCode.RUNG_RETURNED, f"{track} is encoded again", track=track, shed_s=round(shed_s))
        self._log.info("a rung returns", track=track, shed_s=round(shed_s))

    def on_stopped(self, track: str) -> None:
        """The encoder of ``track`` has ended at a cut, or never began."""
        if track in self.off:
            self._stopping.discard(track)
            self._tracks.stop(track)

    def close(self) -> None:
        """The broadcast has ended."""
        self._node.leave(self._ledger.broadcast)

    def _begin(self, track: str) -> None:
        if track not in self._ledger.tracks:
            self._recorder.expect(track, Kind.VIDEO)
        self._stopping.discard(track)
        self._starting.add(track)
        self._tracks.resume(track)
        self._transcoding.select(self._selected())

    def _use_room(self) -> None:
        """Encode the rungs that were left out, if the end of another broadcast has made room for them."""
        fitting = self._node.budget.reserve(self._ledger.broadcast, self._rates)
        for track in sorted(self._left_out & fitting):
            self._left_out -= {track}
            self._begin(track)
            self._log.info("a rung that was left out is encoded", track=track)

    def _list_started(self) -> None:
        """List the rungs again whose newest segment has media."""
        for track in tuple(self._starting):
            entries = self._ledger.tracks[track].entries
            if entries and not entries[-1].gap:
                self._starting.discard(track)
                self._recorder.expect(track, Kind.VIDEO)

    def _sheddable(self) -> dict[str, int]:
        """The rungs that are encoded, unless the only one of them is the only picture."""
        on = self._rates_of(self._selected())
        return on if self._passes_video or len(on) > 1 else {}

    def _rates_of(self, tracks: Container[str]) -> dict[str, int]:
        return {track: rate for track, rate in self._rates.items() if track in tracks}

    def _selected(self) -> frozenset[str]:
        return frozenset(self._rates.keys() - self.off)
