"""AudioSpecificConfig records (ISO/IEC 14496-3, 1.6.2.1) for tests and benchmarks."""

from media.bits import BitWriter
from media.codecs.aac import AAC_LC, SAMPLE_RATES


def aac_lc_record(sample_rate: int = 48_000, channels: int = 2) -> bytes:
    """The record of AAC-LC in frames of 1024 samples. ``channels`` is 1 to 6, or 8."""
    record = BitWriter()
    record.write(AAC_LC, 5)
    record.write(SAMPLE_RATES.index(sample_rate), 4)
    record.write(7 if channels == 8 else channels, 4)
    record.write(0, 3)  # frameLengthFlag, dependsOnCoreCoder, extensionFlag
    return record.to_bytes()
