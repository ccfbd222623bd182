"""Reads CMAF chunks back into samples, to compare them with what should have been written."""

from collections.abc import Iterator
from dataclasses import dataclass

from packager.boxes import tfdt, tfhd, trun, walk


@dataclass(frozen=True, slots=True)
class ReadSample:
    pts: int
    duration: int
    size: int


@dataclass(frozen=True, slots=True)
class ReadFragment:
    base_media_decode_time: int
    samples: tuple[ReadSample, ...]

    @property
    def end(self) -> int:
        return self.base_media_decode_time + sum(sample.duration for sample in self.samples)


def read_fragments(data: bytes) -> Iterator[ReadFragment]:
    for moof in walk.find_all(data, "moof"):
        (traf,) = (child for child in walk.children(moof) if child.kind == "traf")
        parts = {child.kind: child.body for child in walk.children(traf)}
        defaults, run, base = tfhd.parse(parts["tfhd"]), trun.parse(parts["trun"]), tfdt.parse(parts["tfdt"])
        durations = run.durations or (defaults.default_duration,) * run.count
        sizes = run.sizes or (defaults.default_size,) * run.count
        offsets = run.composition_offsets or (0,) * run.count
        decode, samples = base, []
        for duration, size, offset in zip(durations, sizes, offsets, strict=True):
            assert duration is not None and size is not None
            samples.append(ReadSample(decode + offset, duration, size))
            decode += duration
        yield ReadFragment(base, tuple(samples))
