import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.units import Kind
from packager.boxes import mfhd, prft, tfdt, tfhd, trun
from packager.boxes.box import box, full_box
from packager.boxes.walk import MAX_BOXES, boxes, children, find, find_all
from packager.cmaf.fragment import ProducerReference, Sample, fragment
from packager.errors import BoxLimitExceeded, MalformedBox, PackagerError

CHUNK = fragment(
    3,
    90_000,
    [Sample(3000 + index, 3000 * index - 3000, index % 2 == 0, bytes(4 + index)) for index in range(4)],
    kind=Kind.VIDEO,
    producer_reference=ProducerReference(unix_ns=10**18, media_time=90_000),
)
PARSERS: dict[str, Callable[[memoryview], object]] = {
    "prft": prft.parse,
    "moof/mfhd": mfhd.parse,
    "moof/traf/tfhd": tfhd.parse,
    "moof/traf/tfdt": tfdt.parse,
    "moof/traf/trun": trun.parse,
}


def walk_everything(data: bytes) -> None:
    """Parse all boxes as a reader of fragments does. Only a PackagerError may be raised."""
    for path, parse in PARSERS.items():
        for found in find_all(data, path):
            parse(found.body)


def test_boxes_in_sequence() -> None:
    data = box(b"free", b"abc") + box(b"mdat") + box(b"\xa9nam")
    assert [(found.kind, found.start, found.size, bytes(found.body)) for found in boxes(data)] == [
        ("free", 0, 11, b"abc"),
        ("mdat", 11, 8, b""),
        ("\xa9nam", 19, 8, b""),
    ]
    assert list(boxes(b"")) == []


def test_large_size_and_size_to_the_end() -> None:
    large = struct.pack(">I4sQ", 1, b"mdat", 19) + b"abc"
    to_the_end = struct.pack(">I4s", 0, b"mdat") + b"rest"
    assert [bytes(found.body) for found in boxes(large + to_the_end)] == [b"abc", b"rest"]


def test_find_by_path() -> None:
    data = box(b"moof", box(b"traf", box(b"trun", b"1"), box(b"trun", b"2")), box(b"traf", box(b"trun", b"3")))
    assert [bytes(found.body) for found in find_all(data, "moof/traf/trun")] == [b"1", b"2", b"3"]
    assert bytes(find(data, "moof/traf/trun").body) == b"1"
    with pytest.raises(MalformedBox, match="no moof/traf/tfdt"):
        find(data, "moof/traf/tfdt")


def test_only_boxes_that_contain_boxes_are_entered() -> None:
    with pytest.raises(MalformedBox, match="mdat does not contain"):
        find(box(b"mdat", box(b"free")), "mdat/free")
    with pytest.raises(MalformedBox, match="stsd ends before"):
        find(box(b"stsd", b"\0\0\0\0"), "stsd/avc1")
    (entry,) = children(next(boxes(full_box(b"stsd", 0, 0, bytes(4), box(b"text")))))
    assert entry.kind == "text"


@pytest.mark.parametrize("size", [2, 7, 9, 0xFFFFFFFF])
def test_impossible_size_is_rejected(size: int) -> None:
    with pytest.raises(MalformedBox):
        list(boxes(struct.pack(">I4s", size, b"free")))


@pytest.mark.parametrize("size", [0, 15, 18, 1 << 63])
def test_impossible_large_size_is_rejected(size: int) -> None:
    with pytest.raises(MalformedBox):
        list(boxes(struct.pack(">I4sQ", 1, b"free", size) + b"a"))
    with pytest.raises(MalformedBox):
        list(boxes(struct.pack(">I4s", 1, b"free")))


def test_too_many_boxes_are_rejected() -> None:
    with pytest.raises(BoxLimitExceeded):
        list(boxes(box(b"free") * (MAX_BOXES + 1)))


def test_too_many_samples_are_rejected() -> None:
    body = full_box(b"trun", 0, 0, struct.pack(">I", 0xFFFFFFFF))[8:]
    with pytest.raises(BoxLimitExceeded):
        trun.parse(memoryview(body))


@pytest.mark.parametrize("path", PARSERS)
def test_truncated_or_too_long_box_is_rejected(path: str) -> None:
    body = bytes(find(CHUNK, path).body)
    parse = PARSERS[path]
    parse(memoryview(body))
    for length in range(len(body)):
        with pytest.raises(MalformedBox):
            parse(memoryview(body[:length]))
    with pytest.raises(MalformedBox):
        parse(memoryview(body + b"\0"))


def test_box_versions_of_other_writers_are_parsed() -> None:
    version_0 = full_box(b"tfdt", 0, 0, struct.pack(">I", 77))
    assert tfdt.parse(next(boxes(version_0)).body) == 77
    reference = full_box(b"prft", 0, 24, struct.pack(">IQI", 1, 5, 9))
    assert prft.parse(next(boxes(reference)).body) == prft.Prft(24, 1, 5, 9)
    flags = tfhd.BASE_DATA_OFFSET | tfhd.SAMPLE_DESCRIPTION_INDEX | tfhd.DEFAULT_SIZE
    header = full_box(b"tfhd", 0, flags, struct.pack(">IQII", 2, 1000, 1, 33))
    assert tfhd.parse(next(boxes(header)).body) == tfhd.Tfhd(2, None, 33, None)
    unsigned = full_box(b"trun", 0, trun.COMPOSITION_OFFSET, struct.pack(">II", 1, 0xFFFFFFFF))
    assert trun.parse(next(boxes(unsigned)).body) == trun.Trun(1, composition_offsets=(0xFFFFFFFF,))


@settings(max_examples=200)
@given(st.integers(0, len(CHUNK) - 1), st.binary(min_size=1, max_size=8))
def test_corrupted_chunks_raise_only_declared_errors(place: int, noise: bytes) -> None:
    data = CHUNK[:place] + noise + CHUNK[place + len(noise) :]
    try:
        walk_everything(data)
    except PackagerError:
        return


@settings(max_examples=100)
@given(st.binary(max_size=80), st.sampled_from([b"moof", b"traf", b"prft"]))
def test_noise_raises_only_declared_errors(noise: bytes, kind: bytes) -> None:
    for data in (noise, box(b"moof", box(kind, noise)), box(kind, noise)):
        try:
            walk_everything(data)
        except PackagerError:
            continue


def test_corrupted_size_fields_are_rejected_or_harmless() -> None:
    places = [found.start for found in boxes(CHUNK)]
    for place in places:
        for size in (0, 1, 2, 7, 8, 9, len(CHUNK), 0x7FFFFFFF, 0xFFFFFFFF):
            data = CHUNK[:place] + size.to_bytes(4, "big") + CHUNK[place + 4 :]
            try:
                walk_everything(data)
            except PackagerError:
                continue
