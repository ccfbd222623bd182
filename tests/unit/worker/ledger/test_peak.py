import pytest

from worker.ledger.peak import PeakBitRate

SECOND = 90_000


def peak(*segments: tuple[int, int]) -> int:
    """The peak bitrate over segments of (bytes, ticks), with a target duration of 2 s."""
    meter = PeakBitRate(2000, SECOND)
    for size, duration in segments:
        meter.add(size, duration)
    return meter.bps


@pytest.mark.parametrize(
    ("segments", "bps"),
    [
        ([], 0),
        ([(250_000, 2 * SECOND)], 1_000_000),
        ([(250_000, 2 * SECOND), (500_000, 2 * SECOND), (250_000, 2 * SECOND)], 2_000_000),
        # A very short segment counts only together with its neighbour.
        ([(250_000, 2 * SECOND), (50_000, SECOND // 10)], 1_142_858),
        # Short segments are grouped into sets of 1 to 3 seconds.
        ([(250_000, SECOND), (25_000, SECOND), (250_000, SECOND)], 2_000_000),
        ([(100_000, SECOND // 2), (100_000, SECOND // 2)], 1_600_000),
        ([(100_000, SECOND // 2)], 0),
        # A segment longer than any set counts alone.
        ([(1_250_000, 10 * SECOND)], 1_000_000),
        ([(0, 0), (250_000, 2 * SECOND)], 1_000_000),
    ],
)
def test_the_peak_is_over_sets_of_about_a_target_duration(segments: list[tuple[int, int]], bps: int) -> None:
    assert peak(*segments) == bps


def test_memory_is_bounded() -> None:
    meter = PeakBitRate(2000, SECOND)
    for _ in range(1000):
        meter.add(1000, SECOND)
    assert len(meter._recent) <= 4
