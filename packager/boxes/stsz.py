"""SampleSizeBox (ISO/IEC 14496-12, 8.7.3.2), empty: the samples are in fragments."""

from packager.boxes.box import full_box

# sample_size, sample_count.
NO_SAMPLES = bytes(8)


def encode() -> bytes:
    return full_box(b"stsz", 0, 0, NO_SAMPLES)
