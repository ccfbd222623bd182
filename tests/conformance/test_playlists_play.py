"""ffmpeg's HLS and DASH demuxers play every frame of real CMAF media from rendered playlists and MPDs."""

import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest

from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.names import FIRST_MSN, segment_name
from media.units import Codec, Kind
from packager import dash, hls
from packager.dash.build import dash_presentation
from packager.facts import BroadcastFacts, SegmentEntry, TrackFacts
from packager.hls.build import media_playlist, multivariant_playlist

SECONDS = 8
NAMESPACE = "{urn:mpeg:dash:schema:mpd:2011}"


@dataclass(frozen=True)
class Broadcast:
    root: Path
    facts: BroadcastFacts
    entries: dict[str, list[SegmentEntry]]

    def write_hls(self) -> Path:
        for track in self.facts.tracks:
            playlist = media_playlist(track, self.entries[track.track], ended=True, target_ms=2000)
            (self.root / track.track / "media.m3u8").write_text(hls.render_media(playlist))
        master = self.root / "master.m3u8"
        master.write_text(hls.render_multivariant(multivariant_playlist(self.facts)))
        return master

    def write_dash(self) -> Path:
        manifest = self.root / "manifest.mpd"
        presentation = dash_presentation(self.facts, self.entries, publish_time_ms=0, base_url=None)
        manifest.write_text(dash.render(presentation))
        return manifest


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Broadcast:
    """Eight seconds encoded and segmented by ffmpeg, with Headwater's file names and the times of ffmpeg's MPD."""
    root = tmp_path_factory.mktemp("broadcast")
    configs: dict[str, TrackConfig] = {
        "v180p": VideoConfig(Codec.H264, b"", "avc1.42c00d", 320, 180, frame_rate=Fraction(30)),
        "a64k": AudioConfig(Codec.AAC, b"", "mp4a.40.2", 48_000, 1, 1024),
    }
    for number in range(len(configs)):
        (root / str(number)).mkdir()
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000"),
        *(
            "-t",
            str(SECONDS),
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-bf",
            "0",
            "-g",
            "60",
            "-sc_threshold",
            "0",
        ),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k", "-f", "dash", "-seg_duration", "2"),
        *("-format_options", "video_track_timescale=90000", "-init_seg_name", "$RepresentationID$/init-0.mp4"),
        *("-media_seg_name", "$RepresentationID$/$Number$.m4s", str(root / "ffmpeg.mpd")),
    )
    timelines = list(ElementTree.parse(root / "ffmpeg.mpd").iter(f"{NAMESPACE}SegmentTimeline"))
    tracks, entries = [], {}
    for number, (name, config) in enumerate(configs.items()):
        (root / str(number)).rename(root / name)
        entries[name] = entries_of(root / name, timelines[number])
        tracks.append(
            TrackFacts(
                track=name,
                config=config,
                kind=Kind.AUDIO if isinstance(config, AudioConfig) else Kind.VIDEO,
                frame_rate=None,
                peak_bps=1_000_000,
                average_bps=900_000,
                default=True,
            )
        )
    facts = BroadcastFacts(
        tracks=tuple(tracks),
        availability_start_ms=0,
        ended=True,
        segment_target_ms=2000,
        playlist_window_ms=60_000,
    )
    return Broadcast(root, facts, entries)


def entries_of(directory: Path, timeline: ElementTree.Element) -> list[SegmentEntry]:
    """The entries for a SegmentTimeline of ffmpeg, which numbers segments from 1 as Headwater does."""
    made: list[SegmentEntry] = []
    at = 0
    for run in timeline:
        for _ in range(int(run.get("r", 0)) + 1):
            msn, duration = FIRST_MSN + len(made), int(run.get("d", 0))
            made.append(
                SegmentEntry(
                    msn=msn,
                    start=at,
                    duration=duration,
                    size=(directory / segment_name(msn)).stat().st_size,
                    init=0,
                    discontinuity=False,
                    gap=False,
                    wall_ms=2000 * len(made),
                )
            )
            at += duration
    return made


def ffmpeg(*arguments: str) -> str:
    """Run ffmpeg and return its standard output. Any error that ffmpeg reports is a failure."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-xerror", "-nostdin", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def frames(source: Path) -> Counter[str]:
    """Decode ``source`` with ffmpeg; return the number of video ("0") and audio ("1") frames."""
    streams = ("-i", str(source), "-map", "0:v:0", "-map", "0:a:0")
    ffmpeg(*streams, "-f", "null", "-")
    crc = ffmpeg(*streams, "-c", "copy", "-f", "framecrc", "-")
    return Counter(line.split(",")[0] for line in crc.splitlines() if not line.startswith("#"))


def assert_complete(counted: Counter[str]) -> None:
    # The encoder delay adds one audio frame.
    assert counted == {"0": SECONDS * 30, "1": SECONDS * 48_000 // 1024 + 1}


def test_ffmpeg_plays_hls(encoded: Broadcast) -> None:
    assert_complete(frames(encoded.write_hls()))


def test_ffmpeg_plays_dash(encoded: Broadcast) -> None:
    assert_complete(frames(encoded.write_dash()))


def test_ffmpeg_plays_across_a_discontinuity(encoded: Broadcast, tmp_path: Path) -> None:
    root = tmp_path / "discontinuity"
    shutil.copytree(encoded.root, root)
    entries = {}
    for name, made in encoded.entries.items():
        shutil.copy(root / name / "init-0.mp4", root / name / "init-1.mp4")
        entries[name] = [
            *made[:2],
            replace(made[2], discontinuity=True, init=1),
            *(replace(entry, init=1) for entry in made[3:]),
        ]
    assert_complete(frames(Broadcast(root, encoded.facts, entries).write_hls()))


def test_ffmpeg_plays_a_dash_window_from_its_first_segment(encoded: Broadcast, tmp_path: Path) -> None:
    root = tmp_path / "window"
    shutil.copytree(encoded.root, root)
    entries = {name: made[2:] for name, made in encoded.entries.items()}
    for name in entries:
        for entry in encoded.entries[name][:2]:
            (root / name / segment_name(entry.msn)).unlink()
    counted = frames(Broadcast(root, encoded.facts, entries).write_dash())
    assert counted["0"] == SECONDS * 30 // 2
