"""The recorder, its live window and its stored objects, with real tracks and a store in memory."""

import asyncio
import threading
from fractions import Fraction

import pytest

from live.bus import Bus
from live.messages import BroadcastChanged, BroadcastClosed, LiveMessage, SegmentStored
from live.topics import MEDIA, BroadcastRef
from live.window import LiveWindow
from live.window_track import Position
from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit, Kind
from packager import hls
from packager.cmaf.audio_track import AudioTrack
from packager.cmaf.cutter import Cutter, CutterOptions
from packager.cmaf.segment_writer import SegmentWriter
from packager.cmaf.video_track import VideoTrack
from packager.facts import SegmentEntry
from storage.backlog import Backlog
from storage.interface import StorageError, StoreUnavailable
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import ZERO_MS, audio_config, frames, sound, video_config
from worker.ledger import decode_ledger, encode_ledger
from worker.recorder import Recorder, RecorderOptions
from worker.window_seed import window_seed

STREAM, BROADCAST = "studio", "20261121t104105z-abc123"
PREFIX = f"live/{STREAM}/{BROADCAST}"


class Observer:
    def __init__(self) -> None:
        self.made: list[tuple[str, int]] = []
        self.lost: list[str] = []

    def segment_made(self, track: str, entry: SegmentEntry) -> None:
        self.made.append((track, entry.msn))

    def segment_lost(self, track: str, error: StorageError | None) -> None:
        self.lost.append(track)


class Bench:
    """One broadcast with a video and an audio track."""

    def __init__(
        self, options: RecorderOptions | None = None, *, announce: bool = True, backlog: Backlog | None = None
    ) -> None:
        self.store = MemoryStore()
        self.bus = Bus()
        self.window = LiveWindow(STREAM, BROADCAST)
        self.messages: list[LiveMessage] = []
        self.bus.subscribe(MEDIA, self._on_message)
        self.observer = Observer()
        self.monotonic = 0.0
        options = options or RecorderOptions(utc_timing_url="http://origin/time")
        self.recorder = Recorder(
            options.new_ledger(STREAM, BROADCAST, ZERO_MS),
            bus=self.bus,
            store=self.store,
            observer=self.observer,
            clock=lambda: ZERO_MS / 1000 + 100,
            options=options,
            backlog=backlog,
            monotonic=lambda: self.monotonic,
        )
        self._fed = 0
        self._sounded = 0
        if announce:
            self.announce()

    def announce(self) -> None:
        self.recorder.expect("vsource", Kind.VIDEO)
        self.recorder.expect("asource", Kind.AUDIO, default=True, label="Audio")
        self.video = VideoTrack(SegmentWriter("vsource", self.recorder, ZERO_MS), part_target=S // 3)
        self.video.configure(video_config(), Fraction(30))
        self.audio = AudioTrack(
            SegmentWriter("asource", self.recorder, ZERO_MS), audio_config(), part_target=S // 3, silence_after=S
        )
        self.cutter = Cutter(CutterOptions())

    def _on_message(self, ref: BroadcastRef, message: LiveMessage) -> None:
        self.messages.append(message)
        self.window.receive(message)

    def add(self, unit: AccessUnit) -> None:
        """Add a frame of video after the audio up to its time."""
        if (cut := self.cutter.video(unit)) is not None:
            self.recorder.ledger.add_cut(cut)
            self.video.cut(cut)
            self.audio.cut(cut)
        while self._sounded * 1024 * S <= unit.dts * 48_000:
            self.audio.add(sound(self._sounded * 1024))
            self._sounded += 1
        self.video.add(unit)
        self.audio.advance(unit.dts)

    async def feed(self, seconds: int) -> None:
        for unit in frames(seconds * 30, start=self._fed * S):
            self.add(unit)
        self._fed += seconds
        await run_until_idle()

    async def end(self) -> bool:
        self.video.close()
        self.audio.close()
        return await self.recorder.finish()

    async def stored(self, name: str) -> str:
        return (await self.store.get(f"{PREFIX}/{name}")).body.decode()


async def test_live_playlist_lists_complete_segments_and_the_window_serves_them() -> None:
    bench = Bench()
    await bench.feed(7)
    text = bench.window.playlist("vsource")
    assert text is not None
    playlist = hls.parse_media(text.decode())
    assert [segment.uri for segment in playlist.segments] == ["1.m4s", "2.m4s", "3.m4s"]
    assert not playlist.ended
    whole = bench.window.media("vsource", 2)
    parts = [bench.window.part("vsource", Position(2, index)) for index in range(6)]
    assert whole is not None and b"".join(part or b"" for part in parts) == whole
    assert bench.window.media("vsource", 4) is None
    assert bench.window.part("vsource", Position(4, 0)) is not None
    assert bench.window.is_coming("vsource", 4)
    assert not bench.window.is_coming("vsource", 3)
    assert bench.window.init("vsource", 0) is not None
    await bench.end()


async def test_stored_bytes_are_the_live_bytes() -> None:
    bench = Bench()
    await bench.feed(5)
    for track in ("vsource", "asource"):
        assert bench.store.body(f"{PREFIX}/{track}/1.m4s") == bench.window.media(track, 1)
        assert bench.store.body(f"{PREFIX}/{track}/init-0.mp4") == bench.window.init(track, 0)
        assert bench.store.body(f"{PREFIX}/{track}/media.m3u8") == bench.window.playlist(track)
    master = hls.parse_multivariant(bench.store.text(f"{PREFIX}/master.m3u8"))
    current = hls.parse_multivariant(bench.store.text(f"live/{STREAM}/master.m3u8"))
    assert [variant.uri for variant in master.variants] == ["vsource/media.m3u8"]
    assert [rendition.uri for rendition in master.audio] == ["asource/media.m3u8"]
    assert [variant.uri for variant in current.variants] == [f"{BROADCAST}/{v.uri}" for v in master.variants]
    await bench.end()


async def test_both_copies_of_a_manifest_are_the_same() -> None:
    bench = Bench()
    await bench.feed(5)
    own = bench.store.text(f"{PREFIX}/manifest.mpd")
    current = bench.store.text(f"live/{STREAM}/manifest.mpd")
    base = f"<BaseURL>{BROADCAST}/</BaseURL>"
    assert base in current
    assert "".join(current.replace(base, "").split()) == "".join(own.split())
    await bench.end()


async def test_a_stored_playlist_lists_only_durable_segments() -> None:
    bench = Bench()
    bench.store.gate.clear()
    await bench.feed(5)
    assert bench.store.puts == []
    live = bench.window.playlist("vsource")
    assert live is not None and b"2.m4s" in live
    bench.store.gate.set()
    await run_until_idle()
    for place, key in enumerate(bench.store.puts):
        if key.endswith("media.m3u8"):
            track = key.removesuffix("media.m3u8")
            before = set(bench.store.puts[:place])
            named = {f"{track}{s.uri}" for s in hls.parse_media(bench.store.text(key)).segments}
            assert named <= before
    assert f"{PREFIX}/vsource/media.m3u8" in bench.store.puts
    await bench.end()


async def test_every_stored_object_has_its_type_and_caching() -> None:
    bench = Bench()
    await bench.feed(5)
    await bench.end()
    infos = {key.rpartition(".")[2]: o.info for key, o in bench.store.objects.items()}
    assert infos["m4s"].content_type == "video/iso.segment"
    assert infos["mp4"].content_type == "video/mp4"
    assert infos["m3u8"].content_type == "application/vnd.apple.mpegurl"
    assert infos["mpd"].content_type == "application/dash+xml"
    assert all("immutable" in (infos[kind].cache_control or "") for kind in ("m4s", "mp4"))


async def test_the_live_playlist_slides_and_the_recording_is_complete() -> None:
    bench = Bench(RecorderOptions(playlist_window_ms=6000))
    await bench.feed(21)
    live = hls.parse_media((bench.window.playlist("vsource") or b"").decode())
    assert live.media_sequence == 8
    assert [segment.uri for segment in live.segments] == ["8.m4s", "9.m4s", "10.m4s"]
    assert await bench.end()
    stored = hls.parse_media(bench.store.text(f"{PREFIX}/vsource/media.m3u8"))
    assert stored.ended and stored.media_sequence == 1
    assert [segment.uri for segment in stored.segments] == [f"{n}.m4s" for n in range(1, 12)]
    assert 'type="static"' in bench.store.text(f"{PREFIX}/manifest.mpd")
    assert isinstance(bench.messages[-1], BroadcastClosed)


async def test_the_window_is_ready_once_every_track_has_media() -> None:
    bench = Bench()
    await bench.feed(1)
    assert not bench.window.ready and bench.window.master() is None
    await bench.feed(3)
    assert bench.window.ready and bench.window.master() is not None
    assert bench.window.manifest(now_ms=ZERO_MS) is not None
    await bench.end()


async def test_a_missing_track_is_not_awaited_for_ever() -> None:
    bench = Bench()
    bench.recorder.expect("v480p", Kind.VIDEO)
    await bench.feed(5)
    assert not bench.window.ready
    bench.recorder.stop_waiting()
    assert bench.window.ready
    assert b"v480p" not in (bench.window.master() or b"")
    await bench.end()


async def test_a_track_without_a_segment_is_not_listed_after_the_end() -> None:
    bench = Bench()
    for unit in frames(150):
        if (cut := bench.cutter.video(unit)) is not None:
            bench.video.cut(cut)
        bench.video.add(unit)
    bench.video.close()
    await bench.recorder.finish()
    master = bench.store.text(f"{PREFIX}/master.m3u8")
    assert "vsource/recording.m3u8" in master
    assert "asource" not in master


async def test_only_durable_media_leaves_the_window() -> None:
    bench = Bench()
    await bench.feed(21)
    assert bench.window.media("vsource", 1) is None
    assert bench.window.media("vsource", 10) is not None
    slow = Bench()
    slow.store.gate.clear()
    await slow.feed(21)
    assert slow.window.media("vsource", 1) is not None
    slow.store.gate.set()
    await run_until_idle()
    assert slow.window.media("vsource", 1) is None
    await bench.end()
    await slow.end()


async def test_a_failing_store_does_not_affect_live_playback() -> None:
    bench = Bench(backlog=Backlog(5000))
    bench.store.failing = StoreUnavailable("down")
    await bench.feed(21)
    live = hls.parse_media((bench.window.playlist("vsource") or b"").decode())
    assert len(live.segments) == 10
    assert all(bench.window.media("vsource", n) for n in range(1, 11))
    assert bench.recorder.store_error is not None
    assert bench.observer.lost


async def test_segments_that_could_not_be_stored_are_gaps_in_the_recording() -> None:
    bench = Bench(backlog=Backlog(5000))
    bench.store.gate.clear()
    await bench.feed(21)
    bench.store.gate.set()
    assert await bench.end()
    stored = hls.parse_media(bench.store.text(f"{PREFIX}/vsource/media.m3u8"))
    gaps = [segment.uri for segment in stored.segments if segment.gap]
    kept = [segment.uri for segment in stored.segments if not segment.gap]
    assert gaps and kept
    assert all(f"{PREFIX}/vsource/{uri}" not in bench.store.objects for uri in gaps)
    assert all(f"{PREFIX}/vsource/{uri}" in bench.store.objects for uri in kept)


async def test_segments_before_the_dvr_window_are_deleted() -> None:
    bench = Bench(RecorderOptions(playlist_window_ms=6000, dvr_ms=8000))
    await bench.feed(31)
    await bench.end()
    kept = sorted(int(key.split("/")[-1][:-4]) for key in bench.store.objects if "vsource" in key and ".m4s" in key)
    stored = hls.parse_media(bench.store.text(f"{PREFIX}/vsource/media.m3u8"))
    assert [segment.uri for segment in stored.segments] == [f"{msn}.m4s" for msn in kept]
    assert stored.media_sequence == kept[0] > 1
    assert bench.window.gone_before == kept[0]
    media = [stored.info.size for key, stored in bench.store.objects.items() if key.endswith(".m4s")]
    assert bench.recorder.recorded_bytes() == sum(media) < bench.recorder.ledger.total_bytes()


async def test_a_superseded_broadcast_writes_only_its_own_names() -> None:
    bench = Bench()
    await bench.feed(5)
    bench.recorder.supersede()
    del bench.store.objects[f"live/{STREAM}/master.m3u8"]
    await bench.end()
    assert f"live/{STREAM}/master.m3u8" not in bench.store.objects
    assert hls.parse_media(bench.store.text(f"{PREFIX}/vsource/media.m3u8")).ended


async def test_segments_are_published_first_and_then_reported_as_stored() -> None:
    bench = Bench()
    await bench.feed(5)
    await bench.end()
    assert isinstance(bench.messages[0], BroadcastChanged)
    stored = [(m.track, m.msn) for m in bench.messages if isinstance(m, SegmentStored)]
    assert sorted(stored) == sorted(bench.observer.made)


@pytest.mark.parametrize("seconds", [1, 0])
async def test_a_broadcast_shorter_than_a_segment_ends_normally(seconds: int) -> None:
    bench = Bench()
    await bench.feed(seconds)
    assert await bench.end()
    assert (f"{PREFIX}/vsource/media.m3u8" in bench.store.objects) is (seconds == 1)


async def test_the_end_of_a_broadcast_is_rendered_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long rendering would block other broadcasts on the same event loop."""
    places: dict[bool, set[bool]] = {True: set(), False: set()}

    def render(playlist: hls.MediaPlaylist) -> str:
        places[playlist.ended].add(threading.current_thread() is threading.main_thread())
        return hls.render(playlist)

    monkeypatch.setattr(hls, "render_media", render)
    bench = Bench()
    await bench.feed(5)
    assert await bench.end()
    assert places == {False: {True}, True: {False}}
    assert hls.parse_media(bench.store.text(f"{PREFIX}/vsource/media.m3u8")).ended


async def test_the_end_is_stored_after_all_segments() -> None:
    bench = Bench()
    await bench.feed(3)
    bench.store.gate.clear()
    await bench.feed(6)
    ending = asyncio.ensure_future(bench.end())
    versions = []
    key = f"{PREFIX}/vsource/media.m3u8"
    bench.store.on_put = lambda put: versions.append(hls.parse_media(bench.store.text(key))) if put == key else None
    bench.store.gate.set()
    assert await ending
    whole = len([made for made in bench.observer.made if made[0] == "vsource"])
    assert {len(version.segments) for version in versions if version.ended} == {whole}
    assert versions[-1].ended


async def test_a_resumed_recorder_lists_stored_segments_and_makes_the_rest_gaps() -> None:
    bench = Bench()
    await bench.feed(5)
    encoded = encode_ledger(bench.recorder.ledger)
    await bench.store.delete(f"{PREFIX}/vsource/2.m4s")
    ledger = decode_ledger(encoded)
    ledger.tracks["vsource"].resolved = 0
    recorder = Recorder(
        ledger, bus=Bus(), store=bench.store, observer=bench.observer, clock=lambda: 0.0, options=RecorderOptions()
    )
    await recorder.resume()
    window = LiveWindow.from_snapshot(window_seed(ledger))
    assert await recorder.finish()
    text = (await bench.store.get(f"{PREFIX}/vsource/media.m3u8")).body.decode()
    segments = hls.parse_media(text).segments
    assert [(segment.uri, segment.gap) for segment in segments] == [
        ("1.m4s", False),
        ("2.m4s", True),
        ("3.m4s", True),
    ]
    assert window.init("vsource", 0) == (await bench.store.get(f"{PREFIX}/vsource/init-0.mp4")).body
    live = window.playlist("vsource")
    assert live is not None
    assert [segment.uri for segment in hls.parse_media(live.decode()).segments] == ["1.m4s", "2.m4s", "3.m4s"]


@pytest.mark.parametrize("ended", [False, True])
async def test_an_emptied_store_gets_what_the_rest_of_the_recording_needs(ended: bool) -> None:
    """A segment that was stored afterwards is kept; those before are gaps, in the recording too."""
    bench = Bench()
    await bench.feed(5)
    init = bench.store.body(f"{PREFIX}/vsource/init-0.mp4")
    bench.store.objects.clear()
    await bench.feed(2)
    assert f"{PREFIX}/vsource/init-0.mp4" not in bench.store.objects
    await bench.recorder.restore()
    assert sorted(bench.observer.lost) == ["asource", "asource", "vsource", "vsource"]
    await run_until_idle()
    assert bench.store.body(f"{PREFIX}/vsource/init-0.mp4") == init
    if ended:
        assert await bench.end()
    names = (f"{PREFIX}/vsource/media.m3u8", *((f"{PREFIX}/vsource/recording.m3u8",) if ended else ()))
    for name in names:
        segments = hls.parse_media(bench.store.text(name)).segments
        kept = [segment.uri for segment in segments if not segment.gap]
        assert [segment.uri for segment in segments if segment.gap] == ["1.m4s", "2.m4s"]
        assert kept and all(f"{PREFIX}/vsource/{uri}" in bench.store.objects for uri in kept)
    for name in ("master.m3u8", "manifest.mpd"):
        assert f"{PREFIX}/{name}" in bench.store.objects
        assert f"live/{STREAM}/{name}" in bench.store.objects


async def test_a_store_that_cannot_be_listed_is_restored_later() -> None:
    bench = Bench()
    await bench.feed(5)
    bench.store.objects.clear()
    bench.store.failing = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        await bench.recorder.restore()
    assert bench.observer.lost == []
    bench.store.failing = None
    await bench.recorder.restore()
    await bench.recorder.restore()
    assert len(bench.observer.lost) == 4


async def test_texts_are_stored_as_often_as_configured_and_at_the_end() -> None:
    bench = Bench(RecorderOptions(texts_every_s=10))
    names = ("vsource/media.m3u8", "asource/media.m3u8", "manifest.mpd")

    async def texts() -> list[str]:
        return [await bench.stored(name) for name in names]

    await bench.feed(5)
    early = await texts()
    await bench.feed(6)
    assert await texts() == early
    bench.monotonic = 10.0
    await bench.feed(2)
    later = await texts()
    assert all(text != old for text, old in zip(later, early, strict=True))
    await bench.feed(6)
    assert await texts() == later
    await bench.end()
    ended = [await bench.stored(name) for name in names[:2]]
    assert [len(hls.parse_media(text).segments) for text in ended] == [10, 10]
    assert all("#EXT-X-ENDLIST" in text for text in ended)
    assert 'type="static"' in await bench.stored("manifest.mpd")
