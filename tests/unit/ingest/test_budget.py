import pytest

from ingest.budget import SAVED_BYTES_S, SAVED_MESSAGES_S, SAVED_TIME_S, TIME_SHARE, BitrateExceeded, Bucket, Budget


def test_a_bucket_refills_up_to_what_may_be_saved() -> None:
    bucket = Bucket(10.0, 2.0, now=100.0)
    assert bucket.take(20, 100.0) == 0
    assert bucket.take(5, 100.0) == 0.5
    assert bucket.take(5, 101.0) == 0
    assert bucket.take(20, 1000.0) == 0
    assert bucket.take(1, 1000.0) == pytest.approx(0.1)


def test_a_live_stream_never_waits() -> None:
    budget = Budget(100_000_000, 2000, now=0.0)
    for number in range(10_000):
        assert budget.spend(50_000, 10, 0.002, number * 0.05) == 0


def test_a_publisher_waits_for_messages_and_for_time() -> None:
    budget = Budget(100_000_000, 1000, now=0.0)
    assert budget.spend(1, round(1000 * SAVED_MESSAGES_S), 0.0, 0.0) == 0
    assert budget.spend(1, 500, 0.0, 0.0) == pytest.approx(0.5)
    budget = Budget(100_000_000, 1000, now=0.0)
    assert budget.spend(1, 1, SAVED_TIME_S, 0.0) == 0
    assert budget.spend(1, 1, 0.01, 0.0) == pytest.approx(0.01 / TIME_SHARE)


def test_too_many_bytes_end_the_publication_with_advice() -> None:
    budget = Budget(8_000_000, 2000, now=0.0)
    budget.spend(round(1_000_000 * SAVED_BYTES_S), 1, 0.0, 0.0)
    budget.spend(1_000_000, 1, 0.0, 1.0)
    with pytest.raises(BitrateExceeded, match=r"8 Mbit/s.*lower the bitrate"):
        budget.spend(1_000_000, 1, 0.0, 1.5)
