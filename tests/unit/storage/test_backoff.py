from itertools import pairwise

from storage import StoreMisconfigured, StoreUnavailable
from storage.backoff import MISCONFIGURED, UNAVAILABLE, backoff_for


def test_delays_double_up_to_the_cap() -> None:
    delays = [UNAVAILABLE.delay(failures, 0.0) for failures in range(1, 10)]
    assert delays[:3] == [0.25, 0.5, 1.0]
    assert all(shorter <= longer for shorter, longer in pairwise(delays))
    assert delays[-1] == UNAVAILABLE.most == UNAVAILABLE.delay(10_000, 0.0)


def test_jitter_reduces_delays_by_up_to_half() -> None:
    assert UNAVAILABLE.delay(2, 0.5) == 0.375
    assert 0.25 < UNAVAILABLE.delay(2, 0.999) < 0.26


def test_a_misconfiguration_is_retried_rarely() -> None:
    assert backoff_for(StoreUnavailable("down")) is UNAVAILABLE
    assert backoff_for(StoreMisconfigured("denied")) is MISCONFIGURED
    assert MISCONFIGURED.first > 10 * UNAVAILABLE.first
