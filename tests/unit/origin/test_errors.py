"""Each error's HTTP response."""

import pytest

from live import errors as live
from live.errors import LiveError
from origin.errors import BadDirective, OriginError, Refused, origin_error
from origin.playback.errors import PlaybackRefused, TokenMissing
from storage.interface import ObjectNotFound, StorageError, StoreUnavailable


@pytest.mark.parametrize(
    ("error", "code", "status", "caching", "retry_after_s"),
    [
        (live.NotYet(1.2), "not-yet", 404, "public, max-age=1", 2),
        (live.NotYet(0.0), "not-yet", 404, "public, max-age=1", 1),
        (live.NotYet(1e12), "not-yet", 404, "public, max-age=1", 3600),
        (live.GoneFromWindow("x"), "gone", 410, "public, max-age=60", None),
        (live.TooFarAhead("x"), "too-far-ahead", 400, "no-store", None),
        (live.HeldTooLong("x"), "held-too-long", 503, "no-store", 1),
        (TokenMissing("x"), "refused", 403, "no-store", None),
        (StoreUnavailable("x"), "store-unavailable", 503, "no-store", 2),
        (ObjectNotFound("x"), "store-unavailable", 503, "no-store", 2),
    ],
)
def test_each_error_has_its_response(
    error: LiveError | PlaybackRefused | StorageError,
    code: str,
    status: int,
    caching: str,
    retry_after_s: int | None,
) -> None:
    answer = origin_error(error)
    assert (answer.code, answer.status, answer.caching, answer.retry_after_s) == (
        code,
        status,
        caching,
        retry_after_s,
    )


def test_a_refusal_states_its_reason() -> None:
    refusal = origin_error(TokenMissing("no token"))
    assert isinstance(refusal, Refused)
    assert (str(refusal), refusal.reason) == ("no token", "token-missing")


def test_other_errors_have_no_response() -> None:
    with pytest.raises(live.WindowGap):
        origin_error(live.WindowGap("x"))


def test_codes_are_unique() -> None:
    codes = [error.code for error in OriginError.__subclasses__()]
    assert len(set(codes)) == len(codes) and BadDirective.code in codes
