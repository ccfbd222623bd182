"""Every box that Headwater writes, compared with golden bytes."""

from fractions import Fraction
from pathlib import Path

import pytest

from media.codecs.aac import parse_audio_specific_config
from media.configs import Colour, VideoConfig
from media.units import Codec, Kind
from packager import boxes
from packager.boxes import (
    avc1,
    avcC,
    btrt,
    colr,
    dinf,
    dref,
    esds,
    ftyp,
    hdlr,
    mdat,
    mdhd,
    mdia,
    mfhd,
    minf,
    moof,
    moov,
    mp4a,
    mvex,
    mvhd,
    pasp,
    prft,
    smhd,
    stbl,
    stco,
    stsc,
    stsd,
    stsz,
    stts,
    styp,
    tfdt,
    tfhd,
    tkhd,
    traf,
    trak,
    trex,
    trun,
    vmhd,
)
from packager.cmaf.bitrate import TrackBitrate
from packager.cmaf.fragment import ProducerReference, Sample, fragment
from packager.cmaf.init_segment import init_segment
from tests.conformance import golden_bytes

VIDEO = VideoConfig(
    codec=Codec.H264,
    record=bytes.fromhex("0164001fffe1 0009 6764001facb402802d 01 0004 68ee3cb0 fdf8f800"),
    codec_string="avc1.64001f",
    width=1280,
    height=720,
    sample_aspect_ratio=Fraction(4, 3),
    colour=Colour(1, 1, 1, False),
)
AUDIO = parse_audio_specific_config(b"\x11\x90")
BITRATE = TrackBitrate(max_bps=2_800_000, avg_bps=2_500_000)
REFERENCE = ProducerReference(unix_ns=1_767_225_600_250_000_000, media_time=180_000)
FRAMES = [
    Sample(3000, 6000, True, b"key frame"),
    Sample(3000, 12000, False, b"p frame"),
    Sample(3003, 0, False, b"b"),
]
SOUNDS = [Sample(1024, 0, True, b"first"), Sample(1024, 0, True, b"second")]

TFHD = tfhd.encode(1, 3000, None, 0x01010000)
TFDT = tfdt.encode(180_000)
TRUN = trun.encode(76, 2, first_sample_flags=0x02000000, sizes=[9, 7], composition_offsets=[6000, -3000])
TRAF = traf.encode(TFHD, TFDT, TRUN)

BOXES = {
    "avc1": avc1.encode(VIDEO, BITRATE),
    "avcC": avcC.encode(VIDEO.record),
    "btrt": btrt.encode(BITRATE),
    "colr": colr.encode(Colour(9, 16, 9, True)),
    "dinf": dinf.encode(),
    "dref": dref.encode(),
    "esds": esds.encode(AUDIO.record, BITRATE),
    "ftyp": ftyp.encode(),
    "hdlr-audio": hdlr.encode(AUDIO),
    "hdlr-video": hdlr.encode(VIDEO),
    "mdat": mdat.header(7),
    "mdhd": mdhd.encode(48_000),
    "mdia": mdia.encode(AUDIO, None),
    "mfhd": mfhd.encode(7),
    "minf-audio": minf.encode(AUDIO, None),
    "minf-video": minf.encode(VIDEO, None),
    "moof": moof.encode(mfhd.encode(7), TRAF),
    "moov": moov.encode(AUDIO, 1, BITRATE),
    "mp4a": mp4a.encode(AUDIO, BITRATE),
    "mvex": mvex.encode(1),
    "mvhd": mvhd.encode(90_000, 2),
    "pasp": pasp.encode(Fraction(64, 45)),
    "prft": prft.encode(1, REFERENCE),
    "smhd": smhd.encode(),
    "stbl": stbl.encode(AUDIO, None),
    "stco": stco.encode(),
    "stsc": stsc.encode(),
    "stsd": stsd.encode(AUDIO, None),
    "stsz": stsz.encode(),
    "stts": stts.encode(),
    "styp": styp.encode(),
    "tfdt": TFDT,
    "tfhd": TFHD,
    "tkhd-audio": tkhd.encode(AUDIO, 1),
    "tkhd-video": tkhd.encode(VIDEO, 1),
    "traf": TRAF,
    "trak": trak.encode(VIDEO, 1, None),
    "trex": trex.encode(1),
    "trun": TRUN,
    "vmhd": vmhd.encode(),
}
FILES = {
    "init-video": init_segment(VIDEO, bitrate=BITRATE),
    "init-audio": init_segment(AUDIO, track_id=2),
    "chunk-video": fragment(7, 180_000, FRAMES, kind=Kind.VIDEO, producer_reference=REFERENCE),
    "chunk-audio": fragment(8, 96_000, SOUNDS, kind=Kind.AUDIO, track_id=2, first_of_segment=False),
}


@pytest.mark.parametrize("name", BOXES)
def test_box_matches_its_golden_bytes(name: str) -> None:
    golden_bytes.check(f"boxes/{name}", BOXES[name])


@pytest.mark.parametrize("name", FILES)
def test_file_matches_its_golden_bytes(name: str) -> None:
    golden_bytes.check(f"files/{name}", FILES[name])


def test_every_box_module_has_golden_bytes() -> None:
    modules = {path.stem for path in Path(boxes.__path__[0]).glob("*.py")}
    assert {name.split("-")[0] for name in BOXES} == modules - {"__init__", "box", "fields", "matrix", "walk"}
