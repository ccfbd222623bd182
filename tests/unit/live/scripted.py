"""The messages of a scripted broadcast, made by real tracks, and windows that have received some of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from live.messages import BroadcastChanged, LiveMessage, SegmentStored
from live.window import LiveWindow
from live.window_track import Position
from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit, Kind
from packager import hls
from packager.cmaf.audio_track import AudioTrack
from packager.cmaf.cutter import Cutter, CutterOptions
from packager.cmaf.segment_writer import Init, Part, Segment, SegmentWriter
from packager.cmaf.video_track import VideoTrack
from packager.facts import BroadcastFacts, LowLatency
from packager.hls import MediaPlaylist
from tests.unit.packager.recording import ZERO_MS, audio_config, frame, sound, video_config
from worker.ledger import TrackLedger

STREAM, BROADCAST = "studio", "20261121t104105z-abc123"
FRAME = 3000
PART_TARGET = 10 * FRAME
PART_TARGET_US = 333_334


@dataclass(frozen=True, slots=True)
class Script:
    """``keys`` are the keyframes, ``breaks`` the frames before which the broadcaster was disconnected, and
    ``unseen`` those that never reach the second video track; 30 frames are a second. At the ``breaks`` that are
    also ``changes`` the codec parameters change. With ``stored``, segments are durable as soon as they are made.
    ``times`` are the frames' decoding times if they are not 1/30 s apart; ``declared`` is the frame rate that the
    source declares. ``changed_rate`` is the audio's sample rate from the ``changes`` on."""

    frames: int
    keys: Collection[int]
    breaks: Collection[int] = ()
    changes: Collection[int] = ()
    unseen: Collection[int] = ()
    part_target: int = PART_TARGET
    low_latency: LowLatency | None = field(default_factory=lambda: LowLatency(PART_TARGET_US))
    window_ms: int = 60_000
    stored: bool = True
    ends: bool = False
    times: Sequence[int] = ()
    declared: Fraction | None = Fraction(30)
    changed_rate: int = 48_000


class MessageLog:
    """A :class:`~packager.cmaf.segment_writer.TrackSink` that keeps the messages a recorder would publish."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._indexes: dict[str, TrackLedger] = {}
        self._ready = False
        self.messages: list[LiveMessage] = []

    def expect(self, track: str, kind: Kind) -> None:
        self._indexes[track] = TrackLedger(track, kind, kind is Kind.AUDIO, "", 2000)

    def on_init(self, init: Init) -> None:
        self._indexes[init.track].configure(init)
        self.messages.append(init)
        self.publish_facts()

    def on_part(self, part: Part) -> None:
        self.messages.append(part)

    def on_segment(self, segment: Segment) -> None:
        self._indexes[segment.track].add(segment.entry)
        self.messages.append(segment)
        if self._script.stored and not segment.entry.gap:
            self.messages.append(SegmentStored(segment.track, segment.entry.msn))
        if not self._ready and all(index.entries for index in self._indexes.values()):
            self._ready = True
            self.publish_facts()

    def publish_facts(self, *, ended: bool = False) -> None:
        known = (index.facts() for index in self._indexes.values())
        facts = BroadcastFacts(
            tracks=tuple(facts for facts in known if facts is not None),
            availability_start_ms=ZERO_MS,
            ended=ended,
            segment_target_ms=2000,
            playlist_window_ms=self._script.window_ms,
            low_latency=self._script.low_latency,
        )
        self.messages.append(BroadcastChanged(STREAM, BROADCAST, facts, self._ready))


def messages(script: Script) -> list[LiveMessage]:
    """Two video tracks, the second of which may miss frames, and audio."""
    log = MessageLog(script)
    for track, kind in (("vsource", Kind.VIDEO), ("v360p", Kind.VIDEO), ("asource", Kind.AUDIO)):
        log.expect(track, kind)
    log.publish_facts()
    videos = [VideoTrack(_writer(log, name), part_target=script.part_target) for name in ("vsource", "v360p")]
    for video in videos:
        video.configure(video_config(), script.declared)
    audio = AudioTrack(
        _writer(log, "asource"), audio_config(), part_target=script.part_target, silence_after=10 * S
    )
    cutter = Cutter(CutterOptions())
    sounded, rate = 0, 48_000
    for place in range(script.frames):
        unit = frame(
            script.times[place] if script.times else place * FRAME, key=place in script.keys, size=10 + place % 7
        )
        if place in script.changes:
            for video in videos:
                video.configure(replace(video_config(), height=128), script.declared)
            audio.configure(audio_config(script.changed_rate, channels=1))
            sounded, rate = -(-unit.dts * script.changed_rate // (1024 * S)), script.changed_rate
        if place in script.breaks:
            cutter.discontinue()
            audio.discontinue()
        if (cut := cutter.video(unit)) is not None:
            for video in videos:
                video.cut(cut)
            audio.cut(cut)
        while sounded * 1024 * S <= unit.dts * rate:
            audio.add(sound(sounded * 1024))
            sounded += 1
        _show(videos, unit, hidden=place in script.unseen)
        audio.advance(unit.dts)
    if script.ends:
        for video in videos:
            video.close()
        audio.close()
        log.publish_facts(ended=True)
    return log.messages


def _writer(log: MessageLog, name: str) -> SegmentWriter:
    return SegmentWriter(name, log, ZERO_MS)


def _show(videos: Sequence[VideoTrack], unit: AccessUnit, *, hidden: bool) -> None:
    for video in videos[:1] if hidden else videos:
        video.add(unit)


def window_after(sent: Sequence[LiveMessage]) -> LiveWindow:
    window = LiveWindow(STREAM, BROADCAST)
    for message in sent:
        window.receive(message)
    return window


def walk(sent: Sequence[LiveMessage]) -> Iterator[tuple[LiveWindow, LiveMessage]]:
    """The window after each message."""
    window = LiveWindow(STREAM, BROADCAST)
    for message in sent:
        window.receive(message)
        yield window, message


def parts_of(sent: Sequence[LiveMessage], track: str) -> list[Part]:
    return [message for message in sent if isinstance(message, Part) and message.track == track]


def segments_of(sent: Sequence[LiveMessage], track: str) -> list[Segment]:
    return [message for message in sent if isinstance(message, Segment) and message.track == track]


def read(window: LiveWindow, track: str, position: Position | None = None, *, skip: bool = False) -> MediaPlaylist:
    return hls.parse_media(text(window, track, position, skip=skip))


def text(window: LiveWindow, track: str, position: Position | None = None, *, skip: bool = False) -> str:
    rendered = window.playlist(track, window.recalled(track, position), skip=skip)
    assert rendered is not None
    return rendered.decode()
