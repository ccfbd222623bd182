"""Parses CMAF fragments into samples, with the defaults applied to each (ISO/IEC 14496-12, 8.8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from packager.boxes import mfhd, tfdt, tfhd, trun
from packager.boxes.walk import boxes, find, find_all

NON_SYNC = 1 << 16


@dataclass(frozen=True)
class ReadSample:
    decode_time: int
    duration: int
    cts: int
    flags: int
    payload: bytes

    @property
    def pts(self) -> int:
        return self.decode_time + self.cts

    @property
    def key(self) -> bool:
        return not self.flags & NON_SYNC


@dataclass(frozen=True)
class ReadFragment:
    sequence: int
    track_id: int
    base_media_decode_time: int
    samples: list[ReadSample]

    @property
    def end(self) -> int:
        return self.base_media_decode_time + sum(sample.duration for sample in self.samples)


def read_fragments(data: bytes) -> list[ReadFragment]:
    moofs = [box for box in boxes(data) if box.kind == "moof"]
    return [_read(data, moof.start, moof.start + moof.size) for moof in moofs]


def _read(data: bytes, start: int, end: int) -> ReadFragment:
    moof = data[start:end]
    (run_box,) = find_all(moof, "moof/traf/trun")
    run = trun.parse(run_box.body)
    header = tfhd.parse(find(moof, "moof/traf/tfhd").body)
    base = time = tfdt.parse(find(moof, "moof/traf/tfdt").body)
    sizes = _column(run.sizes, header.default_size, run.count)
    durations = _column(run.durations, header.default_duration, run.count)
    flags = _column(run.flags, header.default_flags, run.count)
    if run.first_sample_flags is not None:
        flags[0] = run.first_sample_flags
    offsets = _column(run.composition_offsets, 0, run.count)
    assert run.data_offset is not None
    position = start + run.data_offset
    samples = []
    for size, duration, sample_flags, cts in zip(sizes, durations, flags, offsets, strict=True):
        samples.append(ReadSample(time, duration, cts, sample_flags, data[position : position + size]))
        position += size
        time += duration
    sequence = mfhd.parse(find(moof, "moof/mfhd").body)
    return ReadFragment(sequence, header.track_id, base, samples)


def _column(values: Sequence[int] | None, default: int | None, count: int) -> list[int]:
    if values is not None:
        return list(values)
    assert default is not None
    return [default] * count
