"""A broadcast with simulated time: segments of two tracks as from an encoder, but small.

Their size does not matter here: media leave memory when they are stored, and only their entries remain.
"""

from collections.abc import AsyncIterator, Sequence
from fractions import Fraction

from live.bus import Bus
from live.topics import MEDIA
from live.window import LiveWindow
from media.codecs.aac import parse_audio_specific_config
from media.codecs.h264.configuration import avc_config
from media.names import FIRST_MSN
from media.units import VIDEO_TIMESCALE, Kind
from packager.cmaf.cut import Cut
from packager.cmaf.fragment import Sample
from packager.cmaf.segment_writer import SegmentWriter
from packager.facts import LowLatency, SegmentEntry
from storage.interface import ObjectInfo, ObjectNotFound, StorageError, StoredObject
from tests.lab.aac import aac_lc_record
from tests.lab.clock import ManualClock
from worker.recorder import Recorder, RecorderOptions

STREAM, BROADCAST = "growth", "20260101t000000z-abcdef"
ZERO_MS = 1_700_000_000_000
VIDEO, AUDIO = "vsource", "asource"
SEGMENT_S, PARTS = 2, 6
SAMPLE_RATE, FRAME = 48_000, 1024
# x264's parameter sets for 64x64, baseline.
SPS = bytes.fromhex("6742c00ad9042684000003000400000300f03c489920")
PPS = bytes.fromhex("68cb83cb20")


class NullStore:
    """An object store whose puts always succeed, and that keeps only the sizes of texts."""

    def __init__(self) -> None:
        self.text_bytes: dict[str, int] = {}

    async def check(self) -> None:
        pass

    async def identify(self) -> str:
        return "null"

    async def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> ObjectInfo:
        if not key.endswith((".m4s", ".mp4")):
            self.text_bytes[key] = len(body)
        return ObjectInfo(key, len(body), "", 0.0)

    async def get(self, key: str) -> StoredObject:
        raise ObjectNotFound(key)

    async def head(self, key: str) -> ObjectInfo:
        raise ObjectNotFound(key)

    async def delete(self, key: str) -> None:
        pass

    async def delete_many(self, keys: Sequence[str]) -> None:
        pass

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        found: tuple[ObjectInfo, ...] = ()
        for info in found:
            yield info

    async def close(self) -> None:
        pass


class NullObserver:
    """Ignores all notifications."""

    def segment_made(self, track: str, entry: SegmentEntry) -> None:
        pass

    def segment_lost(self, track: str, error: StorageError | None) -> None:
        pass


class Broadcast:
    """Low-latency HLS and DASH of video and audio, with its own live window. Created within an event loop."""

    def __init__(self, *, dvr_s: int | None, playlist_s: int) -> None:
        self.store = NullStore()
        self.window = LiveWindow(STREAM, BROADCAST)
        self._clock = ManualClock(ZERO_MS / 1000)
        bus = Bus()
        bus.subscribe(MEDIA, lambda _, message: self.window.receive(message))
        options = RecorderOptions(
            segment_target_ms=1000 * SEGMENT_S,
            playlist_window_ms=1000 * playlist_s,
            dvr_ms=None if dvr_s is None else 1000 * dvr_s,
            utc_timing_url="http://origin/time",
        )
        self.recorder = Recorder(
            options.new_ledger(STREAM, BROADCAST, ZERO_MS),
            bus=bus,
            store=self.store,
            observer=NullObserver(),
            clock=self._clock,
            options=options,
        )
        self.recorder.ledger.low_latency = LowLatency(1_000_000 * SEGMENT_S // PARTS)
        self.recorder.expect(VIDEO, Kind.VIDEO)
        self.recorder.expect(AUDIO, Kind.AUDIO, default=True)
        self._video = SegmentWriter(VIDEO, self.recorder, ZERO_MS)
        self._audio = SegmentWriter(AUDIO, self.recorder, ZERO_MS)
        self._video.configure(avc_config([SPS], [PPS]), Fraction(30))
        self._audio.configure(parse_audio_specific_config(aac_lc_record(SAMPLE_RATE, 2)))
        self._segments = 0
        self._sounded = 0

    def make_segment(self) -> None:
        """Make the next segment of both tracks, with its parts; does not render the live playlists."""
        cut = Cut(FIRST_MSN + self._segments, self._segments * SEGMENT_S * VIDEO_TIMESCALE, discontinuity=False)
        self._segments += 1
        self._clock.now += SEGMENT_S
        self._make_video(cut)
        self._make_audio(cut)

    def _make_video(self, cut: Cut) -> None:
        duration = SEGMENT_S * VIDEO_TIMESCALE // PARTS
        self._video.begin(cut, cut.pts)
        for part in range(PARTS):
            # Sizes vary, as for real pictures.
            payload = bytes(40 + (self._segments * 7 + part) % 50)
            self._video.write(cut.pts + part * duration, [Sample(duration, 0, part == 0, payload)])
        self._video.finish()

    def _make_audio(self, cut: Cut) -> None:
        """Whole frames up to the next cut, so that segments differ in length."""
        end = self._segments * SEGMENT_S * SAMPLE_RATE // FRAME
        self._audio.begin(cut, self._sounded * FRAME)
        for part in range(PARTS):
            until = self._sounded + (end - self._sounded) // (PARTS - part)
            frames = [Sample(FRAME, 0, True, b"sound")] * (until - self._sounded)
            self._audio.write(self._sounded * FRAME, frames)
            self._sounded = until
        self._audio.finish()
