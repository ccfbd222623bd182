import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.units import Kind
from packager.boxes import prft, tfhd, trun
from packager.boxes.walk import boxes, find
from packager.cmaf.fragment import ProducerReference, Sample, fragment
from packager.errors import Unwritable
from tests.lab.fragments import read_fragments

SYNC = 0x02000000
NON_SYNC = 0x01010000


def video(*keys: bool) -> list[Sample]:
    return [Sample(3000, 0, key, b"frame") for key in keys]


def audio(count: int) -> list[Sample]:
    return [Sample(1024, 0, True, bytes(100 + index)) for index in range(count)]


def run_of(data: bytes) -> trun.Trun:
    return trun.parse(find(data, "moof/traf/trun").body)


def header_of(data: bytes) -> tfhd.Tfhd:
    return tfhd.parse(find(data, "moof/traf/tfhd").body)


def kinds(data: bytes) -> list[str]:
    return [box.kind for box in boxes(data)]


SAMPLES = st.lists(
    st.builds(
        Sample,
        duration=st.one_of(st.just(3000), st.integers(0, 0xFFFFFFFF)),
        cts=st.one_of(st.just(0), st.integers(-(1 << 31), (1 << 31) - 1)),
        key=st.booleans(),
        payload=st.binary(max_size=20),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=120)
@given(
    SAMPLES,
    st.sampled_from(Kind),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 64) - 1),
    st.integers(1, (1 << 32) - 1),
    st.booleans(),
)
def test_every_sample_is_read_back(
    samples: list[Sample], kind: Kind, sequence: int, time: int, track_id: int, first: bool
) -> None:
    reference = ProducerReference(unix_ns=1, media_time=time) if first else None
    data = fragment(
        sequence,
        time,
        samples,
        kind=kind,
        track_id=track_id,
        producer_reference=reference,
        first_of_segment=first,
    )
    (read,) = read_fragments(data)
    assert (read.sequence, read.track_id) == (sequence, track_id)
    assert read.samples[0].decode_time == time
    assert [(s.duration, s.cts, s.payload) for s in read.samples] == [
        (s.duration, s.cts, s.payload) for s in samples
    ]
    keys = [sample.key or kind is Kind.AUDIO for sample in samples]
    assert [s.flags for s in read.samples] == [SYNC if key else NON_SYNC for key in keys]


def test_order_of_boxes() -> None:
    reference = ProducerReference(unix_ns=0, media_time=0)
    assert kinds(fragment(1, 0, video(True), kind=Kind.VIDEO)) == ["styp", "moof", "mdat"]
    later = fragment(2, 0, video(True), kind=Kind.VIDEO, first_of_segment=False)
    assert kinds(later) == ["moof", "mdat"]
    timed = fragment(1, 0, video(True), kind=Kind.VIDEO, producer_reference=reference)
    assert kinds(timed) == ["styp", "prft", "moof", "mdat"]


def test_segment_is_the_concatenation_of_its_parts() -> None:
    parts = [
        fragment(
            5 + index, 1000 + 6000 * index, video(index == 0, False), kind=Kind.VIDEO, first_of_segment=not index
        )
        for index in range(3)
    ]
    segment = b"".join(parts)
    assert kinds(segment) == ["styp", "moof", "mdat", "moof", "mdat", "moof", "mdat"]
    read = read_fragments(segment)
    assert [sample.decode_time for part in read for sample in part.samples] == list(range(1000, 19000, 3000))
    assert all(sample.payload == b"frame" for part in read for sample in part.samples)


def test_audio_has_default_duration_and_flags() -> None:
    data = fragment(1, 0, audio(5), kind=Kind.AUDIO, first_of_segment=False)
    assert header_of(data) == tfhd.Tfhd(1, 1024, None, SYNC)
    assert run_of(data) == trun.Trun(5, data_offset=len(data) - 510, sizes=(100, 101, 102, 103, 104))


def test_different_audio_durations_are_written_for_each_sample() -> None:
    samples = audio(3)
    samples[1] = samples[1]._replace(duration=1023)
    data = fragment(1, 0, samples, kind=Kind.AUDIO)
    assert header_of(data).default_duration is None
    assert run_of(data).durations == (1024, 1023, 1024)


def test_equal_sizes_are_written_as_a_default() -> None:
    assert header_of(fragment(1, 0, video(True, False), kind=Kind.VIDEO)).default_size == 5


@pytest.mark.parametrize(
    ("keys", "default", "first", "each"),
    [
        ([True], SYNC, None, None),
        ([False], NON_SYNC, None, None),
        ([False, False, False], NON_SYNC, None, None),
        ([True, True], SYNC, None, None),
        ([True, False, False], NON_SYNC, SYNC, None),
        ([False, True], SYNC, NON_SYNC, None),
        ([False, True, False], None, None, (NON_SYNC, SYNC, NON_SYNC)),
    ],
)
def test_flags_are_written_in_the_shortest_form(
    keys: list[bool], default: int | None, first: int | None, each: tuple[int, ...] | None
) -> None:
    data = fragment(1, 0, video(*keys), kind=Kind.VIDEO)
    assert header_of(data).default_flags == default
    assert run_of(data).first_sample_flags == first
    assert run_of(data).flags == each


def test_composition_offsets_are_written_only_if_needed() -> None:
    assert run_of(fragment(1, 0, video(True, False), kind=Kind.VIDEO)).composition_offsets is None
    reordered = [Sample(3000, cts, not cts, b"") for cts in (0, 6000, -3000)]
    assert run_of(fragment(1, 0, reordered, kind=Kind.VIDEO)).composition_offsets == (0, 6000, -3000)


def test_producer_reference_time() -> None:
    # 2026-01-01T00:00:00.5Z.
    reference = ProducerReference(unix_ns=1_767_225_600_500_000_000, media_time=1 << 40)
    data = fragment(1, 0, video(True), kind=Kind.VIDEO, track_id=7, producer_reference=reference)
    read = prft.parse(find(data, "prft").body)
    assert (read.track_id, read.media_time) == (7, 1 << 40)
    assert read.ntp == (1_767_225_600 + 2_208_988_800) << 32 | 1 << 31


def test_ntp_wraps_in_2036() -> None:
    era_s = (1 << 32) - 2_208_988_800
    assert prft.ntp_timestamp(era_s * 10**9) == 0


@pytest.mark.parametrize(
    ("sequence", "time", "samples"),
    [
        (1, 0, []),
        (1, -1, video(True)),
        (1, 1 << 64, video(True)),
        (-1, 0, video(True)),
        (1 << 32, 0, video(True)),
        (1, 0, [Sample(-1, 0, True, b"")]),
        (1, 0, [Sample(1 << 32, 0, True, b""), Sample(1, 0, True, b"")]),
        (1, 0, [Sample(1, 1 << 31, True, b"")]),
        (1, 0, [Sample(1, -(1 << 31) - 1, True, b"")]),
    ],
)
def test_values_outside_their_fields_are_rejected(sequence: int, time: int, samples: list[Sample]) -> None:
    with pytest.raises(Unwritable):
        fragment(sequence, time, samples, kind=Kind.VIDEO)
