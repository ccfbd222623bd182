"""A codec that is only added to the tables passes from FLV tags to init segments and playlists."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from ingest.feed import MediaFeed
from ingest.flv import UnsupportedCodec
from media.codecs import audio_codec, codec, video_codec
from media.configs import TrackConfig
from media.errors import UnsupportedConfig
from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit, Codec, Kind
from packager.boxes.walk import Box, boxes, find, find_all
from packager.cmaf.audio_track import AudioTrack
from packager.cmaf.cut import Cut
from packager.cmaf.init_segment import init_segment
from packager.cmaf.segment_writer import SegmentWriter
from packager.cmaf.video_track import VideoTrack
from packager.dash.build import dash_presentation
from packager.dash.rendering import render as render_manifest
from packager.errors import UnsupportedTrack
from packager.hls.build import multivariant_playlist
from packager.hls.rendering import render_multivariant
from tests.lab.fragments import read_fragments
from tests.unit.ingest import samples
from tests.unit.media.codecs.made_up import (
    HUM,
    HUM_FOURCC,
    HUM_FRAME_SAMPLES,
    HUM_RECORD,
    HUM_SILENCE,
    SOUND_FORMAT,
    VIDEO_ID,
    WISP,
    WISP_FOURCC,
    WISP_RECORD,
    install,
    parse_hum,
    parse_wisp,
)
from tests.unit.packager.broadcasts import A128, FACTS, V720, broadcast
from tests.unit.packager.recording import ZERO_MS, Recorder

STSD = "moov/trak/mdia/minf/stbl/stsd"
# Square samples.
PASP = b"\x00\x00\x00\x10pasp\x00\x00\x00\x01\x00\x00\x00\x01"


@pytest.fixture
def made_up_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def video_tag(packet: int, data: bytes, *, key: bool = True) -> bytes:
    return bytes((0x80 | (0x10 if key else 0x20) | packet,)) + WISP_FOURCC + data


def audio_tag(packet: int, data: bytes) -> bytes:
    return bytes((0x90 | packet,)) + HUM_FOURCC + data


def fed(video: Iterable[tuple[int, bytes]] = (), audio: Iterable[tuple[int, bytes]] = ()) -> samples.Recorder:
    publication = samples.Recorder()
    feed = MediaFeed(publication)
    for timestamp, body in video:
        feed.video.take(timestamp, body)
    for timestamp, body in audio:
        feed.audio.take(timestamp, body)
    feed.close()
    return publication


def media_data(data: bytes) -> bytes:
    return b"".join(bytes(mdat.body) for mdat in find_all(data, "mdat"))


def sample_entry(init: bytes) -> Box:
    (entry,) = boxes(find(init, STSD).body[8:])
    return entry


@pytest.mark.usefixtures("made_up_codecs")
def test_video_from_its_tags_to_access_units() -> None:
    publication = fed(
        [
            (0, video_tag(0, WISP_RECORD)),
            (0, video_tag(1, b"Kone\x00")),
            (40, video_tag(3, b"Ptwo", key=False)),
            (80, video_tag(1, b"Pthree")),
            (120, video_tag(1, b"odd")),
        ]
    )
    assert publication.calls == [
        ("video-config", (320, 180)),
        ("unit", AccessUnit(Kind.VIDEO, 0, 0, True, b"Kone")),
        ("unit", AccessUnit(Kind.VIDEO, 3600, 0, False, b"Ptwo")),
        # The tag is marked as a key frame, but the codec's own header is not.
        ("unit", AccessUnit(Kind.VIDEO, 7200, 0, False, b"Pthree")),
        ("dropped", "malformed-frame"),
    ]


@pytest.mark.usefixtures("made_up_codecs")
def test_both_forms_of_flv_headers_lead_to_the_codec() -> None:
    head = bytes((0x10 | VIDEO_ID,))
    publication = fed(
        [(0, head + b"\x00\x00\x00\x00" + WISP_RECORD), (0, head + b"\x01\x00\x00\x21Kone")],
        [
            (0, bytes((SOUND_FORMAT << 4, 0)) + HUM_RECORD),
            (0, bytes((SOUND_FORMAT << 4, 1)) + b"la"),
            (20, audio_tag(0, HUM_RECORD)),
            (20, audio_tag(1, b"lala")),
        ],
    )
    assert publication.calls == [
        ("video-config", (320, 180)),
        ("audio-config", ("hum", 48_000)),
        ("unit", AccessUnit(Kind.AUDIO, 0, 0, True, b"la")),
        ("unit", AccessUnit(Kind.AUDIO, HUM_FRAME_SAMPLES, 0, True, b"lala")),
        ("unit", AccessUnit(Kind.VIDEO, 0, 2970, True, b"Kone")),
    ]


@pytest.mark.usefixtures("made_up_codecs")
def test_a_frame_of_another_codec_waits_for_its_sequence_header() -> None:
    publication = fed(
        [(0, samples.avc_header()), (0, samples.key_frame()), (40, video_tag(1, b"Kone"))],
        [(0, samples.aac_header()), (0, samples.AAC_FRAME), (21, audio_tag(1, b"la"))],
    )
    assert publication.all("dropped") == ["no-config", "no-config"]
    assert len(publication.units) == 2


@pytest.mark.usefixtures("made_up_codecs")
def test_video_from_access_units_to_segments() -> None:
    out = Recorder()
    track = VideoTrack(SegmentWriter("vsource", out, ZERO_MS), part_target=S // 3)
    config = parse_wisp(WISP_RECORD)
    units = [AccessUnit(Kind.VIDEO, i * 3000, 0, i % 60 == 0, b"K" if i % 60 == 0 else b"P") for i in range(121)]
    for index, unit in enumerate(units):
        if unit.key:
            # The picture size changes with the second segment; later segments begin with their parameter sets.
            record = WISP_RECORD if index == 0 else WISP_RECORD[:-1] + b"\xf0"
            track.configure(parse_wisp(record), None)
            track.cut(Cut(1 + index // 60, unit.pts, discontinuity=index == 60))
        track.add(unit)
    track.close()
    first, second = out.inits
    assert first.config == config
    entry = sample_entry(first.data)
    assert (entry.kind, bytes(entry.body).endswith(b"\x00\x00\x00\x0ewspC" + WISP_RECORD + PASP)) == ("wsp1", True)
    assert [media_data(segment.data) for segment in out.segments] == [
        b"K" + b"P" * 59,
        b"sets:" + second.config.record + b"K" + b"P" * 59,
        b"sets:" + second.config.record + b"K",
    ]


@pytest.mark.usefixtures("made_up_codecs")
def test_audio_from_access_units_to_segments_with_its_own_silence() -> None:
    out = Recorder()
    config = parse_hum(HUM_RECORD)
    track = AudioTrack(SegmentWriter("asource", out, ZERO_MS), config, part_target=S // 3, silence_after=S)
    track.cut(Cut(1, 0, discontinuity=False))
    for index in (0, 1, 10, 11):
        track.add(AccessUnit(Kind.AUDIO, index * HUM_FRAME_SAMPLES, 0, True, b"la"))
    track.close()
    assert out.inits[0].config == config
    entry = sample_entry(out.inits[0].data)
    assert (entry.kind, bytes(entry.body).endswith(b"humC" + HUM_RECORD)) == ("humm", True)
    (segment,) = out.segments
    assert media_data(segment.data) == b"la" * 2 + HUM_SILENCE * 8 + b"la" * 2
    durations = {sample.duration for fragment in read_fragments(segment.data) for sample in fragment.samples}
    assert durations == {HUM_FRAME_SAMPLES}


def test_playlists_and_manifests_name_the_codecs() -> None:
    tracks = (
        replace(V720, config=parse_wisp(WISP_RECORD)),
        replace(A128, config=parse_hum(HUM_RECORD)),
    )
    facts = replace(FACTS, tracks=tracks)
    assert 'CODECS="wsp1.7,humm.1"' in render_multivariant(multivariant_playlist(facts))
    made = broadcast(tracks, 4)
    manifest = render_manifest(dash_presentation(facts, made, publish_time_ms=ZERO_MS + 9000, base_url=None))
    assert 'codecs="wsp1.7"' in manifest
    assert 'codecs="humm.1"' in manifest


def test_codecs_that_are_not_in_the_tables_are_refused() -> None:
    with pytest.raises(UnsupportedCodec, match=r"wsp1 video is not supported yet: choose H\.264"):
        fed([(0, video_tag(0, WISP_RECORD))])
    with pytest.raises(UnsupportedCodec, match="humm audio is not supported: choose AAC"):
        fed((), [(0, audio_tag(0, HUM_RECORD))])
    configs: tuple[TrackConfig, ...] = (parse_wisp(WISP_RECORD), parse_hum(HUM_RECORD))
    for config, choice in zip(configs, ("H264", "AAC"), strict=True):
        with pytest.raises(
            UnsupportedTrack, match=f"{config.codec} is not packaged as CMAF; transcode it to {choice}"
        ):
            init_segment(config)


def test_names_outside_the_table_are_refused() -> None:
    for look_up, name in ((codec, WISP), (video_codec, HUM), (audio_codec, WISP), (video_codec, Codec.AAC)):
        with pytest.raises(UnsupportedConfig, match=str(name)):
            look_up(name)


@pytest.mark.usefixtures("made_up_codecs")
def test_descriptors_are_found_by_name() -> None:
    assert [codec(name).kind for name in (WISP, HUM, Codec.H264, Codec.AAC, Codec.MP3)] == [
        Kind.VIDEO,
        Kind.AUDIO,
        Kind.VIDEO,
        Kind.AUDIO,
        Kind.AUDIO,
    ]
    assert audio_codec(Codec.AAC).silence(audio_codec(Codec.AAC).parse_config(b"\x11\x90"))
