"""A broadcast's recording as its playlists and its manifest describe it, with the media of each segment."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import m3u8

from packager.boxes.walk import find
from tests.lab.fragments import ReadFragment, ReadSample, read_fragments

DASH = {"d": "urn:mpeg:dash:schema:mpd:2011"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment in a media playlist. Times are ticks of its timescale; a gap has no fragments."""

    msn: int
    extinf_s: float
    discontinuity: bool
    init: str
    timescale: int
    fragments: Sequence[ReadFragment]

    @property
    def samples(self) -> Iterator[ReadSample]:
        return (sample for fragment in self.fragments for sample in fragment.samples)

    @property
    def start(self) -> int:
        return self.fragments[0].base_media_decode_time

    @property
    def end(self) -> int:
        return self.fragments[-1].end

    @property
    def start_s(self) -> float:
        return self.start / self.timescale

    @property
    def end_s(self) -> float:
        return self.end / self.timescale

    @property
    def earliest(self) -> int:
        """The presentation time at which it begins."""
        return min(sample.pts for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Track:
    folder: Path
    is_video: bool
    target_s: int
    ended: bool
    segments: Sequence[Segment]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def playlist(self) -> Path:
        return self.folder / "media.m3u8"

    @property
    def media(self) -> list[Segment]:
        """The segments that are not gaps."""
        return [segment for segment in self.segments if segment.fragments]


@dataclass(frozen=True, slots=True)
class ManifestSegment:
    """A segment in the manifest. Times are ticks."""

    track: str
    msn: int
    time: int
    duration: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One broadcast: the tracks of its multivariant playlist, and the segments of its manifest."""

    name: str
    tracks: Sequence[Track]
    manifest: Sequence[ManifestSegment]


def read_recordings(stream: Path) -> list[Recording]:
    """The recordings in a stream's folder of the store that are playable, the oldest first."""
    folders = sorted(path for path in stream.glob("*/") if (path / "master.m3u8").is_file())
    return [read_recording(folder) for folder in folders]


def read_recording(folder: Path) -> Recording:
    master = (folder / "master.m3u8").read_text()
    uris = re.findall(r'URI="([^"]+)"', master) + [line for line in master.splitlines() if line and line[0] != "#"]
    tracks = [_read_track(folder / Path(uri).parent) for uri in dict.fromkeys(uris)]
    return Recording(folder.name, tracks, list(_read_manifest(folder / "manifest.mpd")))


def _read_track(folder: Path) -> Track:
    playlist = m3u8.loads((folder / "media.m3u8").read_text())
    segments, scales = [], {}
    for place, segment in enumerate(playlist.segments):
        assert segment.init_section is not None and segment.uri is not None
        # A gap has no media (4.4.4.7).
        init = str(segment.init_section.uri)
        if init not in scales:
            scales[init] = _timescale((folder / init).read_bytes())
        data = b"" if segment.gap_tag else (folder / segment.uri).read_bytes()
        segments.append(
            Segment(
                (playlist.media_sequence or 0) + place,
                float(segment.duration or 0),
                segment.discontinuity,
                init,
                scales[init],
                read_fragments(data),
            )
        )
    is_video = bool(segments) and b"vmhd" in (folder / segments[0].init).read_bytes()
    return Track(folder, is_video, int(playlist.target_duration or 0), bool(playlist.is_endlist), segments)


def _timescale(init: bytes) -> int:
    """It follows version, flags and two times of 4 bytes (ISO/IEC 14496-12, 8.4.2)."""
    return int.from_bytes(find(init, "moov/trak/mdia/mdhd").body[12:16], "big")


def _read_manifest(path: Path) -> Iterator[ManifestSegment]:
    if not path.is_file():
        return
    root = ElementTree.parse(path).getroot()
    for period in root.findall("d:Period", DASH):
        for adaptation_set in period.findall("d:AdaptationSet", DASH):
            for representation in adaptation_set.findall("d:Representation", DASH):
                template = representation.find("d:SegmentTemplate", DASH)
                template = adaptation_set.find("d:SegmentTemplate", DASH) if template is None else template
                assert template is not None
                msn, time = int(template.get("startNumber", 1)), 0
                for entry in template.findall("d:SegmentTimeline/d:S", DASH):
                    time = int(entry.get("t", time))
                    for _ in range(int(entry.get("r", 0)) + 1):
                        duration, track = int(entry.get("d", 0)), representation.get("id", "")
                        yield ManifestSegment(track, msn, time, duration)
                        msn, time = msn + 1, time + duration
